package io.sandglass.executor.network;

import java.util.List;

/**
 * What holds for every sandbox of a node, whatever its policy says.
 *
 * @param never networks that no sandbox reaches
 * @param resolvers name servers; what a policy opens may be asked on port 53 even where it lies in
 *     {@code never}
 */
public record Platform(Ranges never, Ranges resolvers) {

  /** Networks of hosts and neighbours, which an operator may open. */
  private static final Ranges PRIVATE =
      Ranges.networks(List.of("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"));

  /** Loopback, link-local with its metadata service, multicast, broadcast: nobody opens these. */
  private static final Ranges CLOSED =
      Ranges.networks(List.of("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"));

  /**
   * @param opened private networks that sandboxes may reach if their policy lets them
   * @param denied further networks that they never reach
   * @param dns resolvers
   * @throws IllegalArgumentException when something is no network or can't be opened
   */
  public static Platform of(
      Ranges sandboxes, List<String> opened, List<String> denied, List<String> dns) {
    Ranges closed = CLOSED.plus(sandboxes);
    Ranges open = Ranges.networks(opened);
    refuse(open, closed, "can't be opened to sandboxes");
    Ranges resolvers = Ranges.networks(dns);
    refuse(resolvers, closed, "can't be a resolver of sandboxes");
    return new Platform(PRIVATE.minus(open).plus(closed).plus(Ranges.networks(denied)), resolvers);
  }

  private static void refuse(Ranges asked, Ranges closed, String why) {
    Ranges common = asked.minus(asked.minus(closed));
    if (!common.isEmpty()) {
      throw new IllegalArgumentException(new Ipv4(common.list().getFirst().first()) + " " + why);
    }
  }
}
