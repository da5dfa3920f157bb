package io.sandglass.engine.fleet;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Notices who has fallen silent. Silence is counted in pulses: beats of the engine's own that went
 * through the same topic as the heartbeats. While the topic can't be written or read there are no
 * pulses, and nobody grows silent. An engine that was away starts to count anew, and has more
 * patience with a node until it has heard of it: what kept the engine away, such as the start of a
 * host, may have kept the node away too, and the node takes longer to be back.
 */
public final class Vigil {
  /** How many times the usual patience one has that was not heard yet. */
  private static final int GRACE = 6;

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
        .filter(node -> count(node.id()) > patience)
        .toList();
  }

  private int count(String nodeId) {
    return pulsesSinceHeard.merge(nodeId, 1 - (GRACE - 1) * patience, (counted, _) -> counted + 1);
  }
}
