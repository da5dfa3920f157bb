package io.sandglass.engine.lifecycle;

import java.util.List;

/** A network policy, already validated; the lifecycle only carries it. */
public record Egress(
    String mode, List<String> allowCidrs, List<String> denyCidrs, List<Integer> allowPorts) {
  public Egress {
    allowCidrs = List.copyOf(allowCidrs);
    denyCidrs = List.copyOf(denyCidrs);
    allowPorts = List.copyOf(allowPorts);
  }
}
