package io.sandglass.api.domain;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** IPv4 networks, read strictly: what one tool reads as octal another reads as decimal. */
public final class Cidr {
  private static final String NUMBER = "(0|[1-9][0-9]{0,2})";
  private static final Pattern FORM =
      Pattern.compile(
          NUMBER + "\\." + NUMBER + "\\." + NUMBER + "\\." + NUMBER + "/(0|[1-9][0-9]?)");

  private Cidr() {}

  /** What is wrong with the text; empty when it is a network. */
  public static Optional<String> flaw(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      return Optional.of(
          "Expected an IPv4 network such as 203.0.113.0/24, in decimal without leading zeros.");
    }
    long address = 0;
    for (int i = 1; i <= 4; i++) {
      int octet = Integer.parseInt(parts.group(i));
      if (octet > 255) {
        return Optional.of("Expected numbers up to 255, but found " + octet + ".");
      }
      address = address << 8 | octet;
    }
    int prefix = Integer.parseInt(parts.group(5));
    if (prefix > 32) {
      return Optional.of("Expected a prefix length up to 32, but found " + prefix + ".");
    }
    long hostMask = (1L << (32 - prefix)) - 1;
    return (address & hostMask) == 0
        ? Optional.empty()
        : Optional.of("Expected no bits set past the prefix of " + prefix + " bits.");
  }
}
