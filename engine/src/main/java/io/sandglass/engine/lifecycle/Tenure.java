package io.sandglass.engine.lifecycle;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What is true of a sandbox for as long as it lives, whatever its stage.
 *
 * @param incarnation which life of its container this is: rises whenever another container takes
 *     over
 * @param egress the policy in force
 * @param expiresAt when it ends unless kept alive; empty for a persistent sandbox
 * @param inFlight executions that hold off a suspend, by execution id
 */
public record Tenure(
    String org,
    Spec spec,
    String node,
    int incarnation,
    Egress egress,
    Optional<Instant> expiresAt,
    Instant lastActivityAt,
    Map<String, InFlight> inFlight) {
  public Tenure {
    inFlight = Map.copyOf(inFlight);
  }

  Tenure placedOn(String newNode, int newIncarnation) {
    return new Tenure(
        org, spec, newNode, newIncarnation, egress, expiresAt, lastActivityAt, inFlight);
  }

  Tenure expiringAt(Instant at) {
    return new Tenure(
        org, spec, node, incarnation, egress, Optional.of(at), lastActivityAt, inFlight);
  }

  Tenure withEgress(Egress policy) {
    return new Tenure(org, spec, node, incarnation, policy, expiresAt, lastActivityAt, inFlight);
  }

  Tenure activeAt(Instant at, Map<String, InFlight> executions) {
    return new Tenure(org, spec, node, incarnation, egress, expiresAt, at, executions);
  }
}
