package io.sandglass.executor.sandbox;

import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.Reach;
import java.util.List;
import java.util.Optional;

/**
 * What a sandbox may reach, as it was asked for.
 *
 * @param denyCidrs win over what is allowed
 * @param allowPorts restrict {@code allowCidrs} to TCP on these ports
 */
public record EgressPolicy(
    Mode mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {

  public static final EgressPolicy ALLOW_ALL =
      new EgressPolicy(Mode.ALLOW_ALL, List.of(), List.of(), List.of());

  public static final EgressPolicy DENY_ALL =
      new EgressPolicy(Mode.DENY_ALL, List.of(), List.of(), List.of());

  public enum Mode {
    ALLOW_ALL,
    DENY_ALL;

    /**
     * @param name as the log and the API have it
     * @throws IllegalArgumentException when there is no such mode
     */
    public static Mode named(String name) {
      return switch (name) {
        case "allow_all" -> ALLOW_ALL;
        case "deny_all" -> DENY_ALL;
        default -> throw new IllegalArgumentException("unknown egress mode " + name);
      };
    }
  }

  /**
   * What it comes to.
   *
   * @throws IllegalArgumentException when a network is none
   */
  public Reach reach() {
    Ranges denied = Ranges.networks(denyCidrs);
    return switch (mode) {
      case ALLOW_ALL -> new Reach(Reach.EVERYWHERE.minus(denied), Optional.empty());
      case DENY_ALL ->
          new Reach(
              Ranges.networks(allowCidrs).minus(denied),
              allowPorts.isEmpty() ? Optional.empty() : Optional.of(Ranges.ports(allowPorts)));
    };
  }
}
