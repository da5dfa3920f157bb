package io.sandglass.api.domain;

import java.util.List;

/** Where a sandbox may connect to. */
public record EgressPolicy(
    EgressMode mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {

  public static final EgressPolicy ALLOW_ALL =
      new EgressPolicy(EgressMode.ALLOW_ALL, List.of(), List.of(), List.of());

  public EgressPolicy {
    allowCidrs = List.copyOf(allowCidrs);
    denyCidrs = List.copyOf(denyCidrs);
    allowPorts = List.copyOf(allowPorts);
  }
}
