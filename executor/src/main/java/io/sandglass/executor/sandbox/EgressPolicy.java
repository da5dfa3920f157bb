package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerSpec.Network;
import java.util.List;
import java.util.Optional;

/** What a sandbox may reach, as it was asked for. */
public record EgressPolicy(
    Mode mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {

  public static final EgressPolicy ALLOW_ALL =
      new EgressPolicy(Mode.ALLOW_ALL, List.of(), List.of(), List.of());

  public enum Mode {
    ALLOW_ALL,
    DENY_ALL
  }

  /**
   * The network that enforces this policy; empty when this node has none that does. Everything in
   * between open and closed needs a packet filter, and without one a sandbox is refused rather than
   * left open.
   */
  Optional<Network> network() {
    return switch (mode) {
      case ALLOW_ALL ->
          allowCidrs.isEmpty() && denyCidrs.isEmpty() && allowPorts.isEmpty()
              ? Optional.of(Network.BRIDGE)
              : Optional.empty();
      // Denying more than everything changes nothing.
      case DENY_ALL -> allowCidrs.isEmpty() ? Optional.of(Network.NONE) : Optional.empty();
    };
  }
}
