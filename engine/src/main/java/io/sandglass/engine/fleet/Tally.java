package io.sandglass.engine.fleet;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** What was placed on nodes since their last heartbeat, which therefore doesn't tell of it yet. */
public final class Tally {
  private record Placed(Instant heartbeat, long memoryBytes, int sandboxes) {}

  private final Map<String, Placed> placed = new HashMap<>();

  /** Something of this size was placed on the node. */
  public void add(Node node, long memoryBytes) {
    Placed before = since(node);
    placed.put(
        node.id(),
        new Placed(
            node.heartbeat().at(), before.memoryBytes() + memoryBytes, before.sandboxes() + 1));
  }

  long memoryBytes(Node node) {
    return since(node).memoryBytes();
  }

  int sandboxes(Node node) {
    return since(node).sandboxes();
  }

  private Placed since(Node node) {
    Placed noted = placed.get(node.id());
    return noted != null && noted.heartbeat().equals(node.heartbeat().at())
        ? noted
        : new Placed(node.heartbeat().at(), 0, 0);
  }
}
