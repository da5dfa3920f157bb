package io.sandglass.executor.network;

/** All numbers from {@code first} to {@code last}: addresses of a network, or ports. */
public record Range(long first, long last) implements Comparable<Range> {
  public Range {
    if (first > last) {
      throw new IllegalArgumentException("empty: " + first + "-" + last);
    }
  }

  public static Range of(long only) {
    return new Range(only, only);
  }

  /**
   * A network, such as {@code 10.0.0.0/8}, or one address.
   *
   * @throws IllegalArgumentException when it is neither, or has host bits
   */
  public static Range network(String cidr) {
    int slash = cidr.indexOf('/');
    if (slash < 0) {
      return of(Ipv4.parse(cidr).bits());
    }
    String prefix = cidr.substring(slash + 1);
    if (!prefix.matches("0|[1-9][0-9]?") || Integer.parseInt(prefix) > 32) {
      throw new IllegalArgumentException("no IPv4 network: " + cidr);
    }
    long first = Ipv4.parse(cidr.substring(0, slash)).bits();
    long size = 1L << (32 - Integer.parseInt(prefix));
    if (first % size != 0) {
      throw new IllegalArgumentException("no IPv4 network: " + cidr + " has host bits");
    }
    return new Range(first, first + size - 1);
  }

  boolean contains(long number) {
    return first <= number && number <= last;
  }

  @Override
  public int compareTo(Range other) {
    int byFirst = Long.compare(first, other.first);
    return byFirst != 0 ? byFirst : Long.compare(last, other.last);
  }
}
