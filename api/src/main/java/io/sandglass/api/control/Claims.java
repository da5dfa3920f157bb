package io.sandglass.api.control;

import io.sandglass.api.dataplane.AheadPlane;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.Pool;
import io.sandglass.api.domain.SandboxSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Finds containers that were started ahead for sandboxes that are about to be created. A container
 * is one node's to give, so it is never given twice; the log is told by the sandbox's creation.
 */
public final class Claims {
  private final Nodes nodes;
  private final AheadPlane plane;

  public Claims(Nodes nodes, AheadPlane plane) {
    this.nodes = nodes;
    this.plane = plane;
  }

  /** The node that has set one aside; empty where the sandbox is to be started as ever. */
  Optional<String> claim(String orgId, String sandboxId, SandboxSpec spec, String requestId) {
    EgressPolicy egress = spec.egress();
    AheadPlane.Wanted wanted =
        new AheadPlane.Wanted(
            orgId,
            spec.template().image(),
            spec.size().cpuMillis(),
            spec.size().memoryBytes(),
            new AheadPlane.Egress(
                egress.mode().text(),
                egress.allowCidrs(),
                egress.denyCidrs(),
                egress.allowPorts()));
    return candidate(spec.template().image())
        .filter(
            nodeId ->
                nodes
                    .dataPlane(nodeId)
                    .filter(node -> plane.claim(node, sandboxId, wanted, requestId))
                    .isPresent());
  }

  /** Any that had one when it last spoke, so that they share what comes between two heartbeats. */
  private Optional<String> candidate(String image) {
    List<Pool> ready =
        new ArrayList<>(
            nodes.pools().stream()
                .filter(pool -> pool.image().equals(image) && pool.ready() > 0)
                .toList());
    Collections.shuffle(ready);
    return ready.stream().map(Pool::nodeId).findFirst();
  }
}
