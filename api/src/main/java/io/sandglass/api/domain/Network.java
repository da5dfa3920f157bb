package io.sandglass.api.domain;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;

/**
 * A range of IPv4 or IPv6 addresses.
 *
 * @param base the first one
 * @param prefix how many of its bits all have in common
 */
public record Network(InetAddress base, int prefix) {

  /** Empty for what is not an address, a slash and the length of a prefix. */
  public static Optional<Network> parse(String text) {
    String[] parts = text.split("/", -1);
    if (parts.length != 2 || !parts[1].matches("0|[1-9][0-9]{0,2}")) {
      return Optional.empty();
    }
    try {
      Network network = new Network(InetAddress.ofLiteral(parts[0]), Integer.parseInt(parts[1]));
      return Optional.of(network)
          .filter(parsed -> parsed.prefix <= parsed.base.getAddress().length * Byte.SIZE);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /**
   * An IPv4 address is in no IPv6 network, however it is written: Java takes a mapped one as IPv4.
   */
  public boolean contains(InetAddress address) {
    byte[] mine = base.getAddress();
    byte[] other = address.getAddress();
    int whole = prefix / Byte.SIZE;
    int rest = prefix % Byte.SIZE;
    return mine.length == other.length
        && Arrays.equals(mine, 0, whole, other, 0, whole)
        && (rest == 0 || ((mine[whole] ^ other[whole]) & 0xff) >> (Byte.SIZE - rest) == 0);
  }
}
