package io.sandglass.engine.fleet;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Notices who has fallen silent. Silence is counted in pulses: beats of the engine's own that went
 * through the same topic as the heartbeats. While the topic can't be written or read there are no
 * pulses, and nobody grows silent; an engine that was away starts to count anew.
 */
public final class Vigil {
  private final int patience;
  private final Map<String, Integer> pulsesSinceHeard = new HashMap<>();

  /**
   * @param patience how many pulses without a heartbeat are too many
   */
  public Vigil(int patience) {
    this.patience = patience;
  }

  /** A heartbeat of this node was read. */
  public void heard(String nodeId) {
    pulsesSinceHeard.put(nodeId, 0);
  }

  /** A pulse was read: who of the ready nodes has been silent for too long. */
  public List<Node> pulse(Collection<Node> nodes) {
    return nodes.stream()
        .filter(node -> node.state() == Node.State.READY)
        .filter(node -> pulsesSinceHeard.merge(node.id(), 1, Integer::sum) > patience)
        .toList();
  }
}
