package io.sandglass.engine.lifecycle;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was asked for, fixed for the sandbox's life.
 *
 * @param egress the policy it starts with
 * @param envNames the names only
 * @param envSealed the values, encrypted, in base64; opaque here
 * @param fingerprint hash of the request that created it, where the client wanted creation to be
 *     idempotent
 */
public record Spec(
    Template template,
    Mode mode,
    Size size,
    Egress egress,
    List<String> envNames,
    Optional<String> envSealed,
    Map<String, String> metadata,
    Patience patience,
    Optional<String> fingerprint) {
  public Spec {
    envNames = List.copyOf(envNames);
    metadata = Map.copyOf(metadata);
  }
}
