package io.sandglass.executor.network;

import java.util.List;
import java.util.Optional;

/**
 * What a policy comes to, within what the platform leaves open to anybody.
 *
 * @param networks that are open; everything else is closed
 * @param tcpPorts when there are any, the networks are open to TCP on these ports and to nothing
 *     else
 */
public record Reach(Ranges networks, Optional<Ranges> tcpPorts) {
  public static final Ranges EVERYWHERE = Ranges.networks(List.of("0.0.0.0/0"));
  public static final Reach ALL = new Reach(EVERYWHERE, Optional.empty());
  public static final Reach NOTHING = new Reach(Ranges.NONE, Optional.empty());

  public Reach {
    tcpPorts = tcpPorts.filter(ports -> !networks.isEmpty() && !ports.isEmpty());
  }
}
