package io.sandglass.executor.network;

/**
 * An IPv4 address.
 *
 * @param bits as an unsigned number of 32 bits
 */
public record Ipv4(long bits) implements Comparable<Ipv4> {
  static final long LAST = 0xFFFF_FFFFL;

  public Ipv4 {
    if (bits < 0 || bits > LAST) {
      throw new IllegalArgumentException("no IPv4 address: " + bits);
    }
  }

  /**
   * @throws IllegalArgumentException unless it is four decimal numbers without leading zeros
   */
  public static Ipv4 parse(String text) {
    String[] parts = text.split("\\.", -1);
    if (parts.length != 4) {
      throw new IllegalArgumentException("no IPv4 address: " + text);
    }
    long bits = 0;
    for (String part : parts) {
      if (!part.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(part) > 255) {
        throw new IllegalArgumentException("no IPv4 address: " + text);
      }
      bits = (bits << 8) | Integer.parseInt(part);
    }
    return new Ipv4(bits);
  }

  @Override
  public int compareTo(Ipv4 other) {
    return Long.compare(bits, other.bits);
  }

  @Override
  public String toString() {
    return (bits >> 24)
        + "."
        + ((bits >> 16) & 255)
        + "."
        + ((bits >> 8) & 255)
        + "."
        + (bits & 255);
  }
}
