package io.sandglass.engine.fleet;

import java.time.Instant;
import java.util.Map;
import java.util.Set;

/**
 * What a node says of itself.
 *
 * @param bootId new at every start of the node's executor
 * @param images what it can start without fetching
 * @param at by the node's own clock
 * @param warm what it starts ahead, by image
 */
public record Heartbeat(
    String nodeId,
    String bootId,
    String dataPlaneUrl,
    Resources capacity,
    Resources used,
    Set<String> images,
    Map<String, String> labels,
    Instant at,
    Map<String, WarmStock> warm) {
  public Heartbeat {
    images = Set.copyOf(images);
    labels = Map.copyOf(labels);
    warm = Map.copyOf(warm);
  }
}
