package io.sandglass.engine.stream;

import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.wire.Kept;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Finds the sandboxes of lost nodes among all of this task's. Every loss is gone through once, and
 * after a restart once more; in steps, each within its budget.
 */
final class LossScan {
  private final KeyValueStore<String, Kept> sandboxes;
  private final Map<String, Long> doneEpochs = new HashMap<>();
  private Optional<Node> current = Optional.empty();
  private String resumeAt;

  LossScan(KeyValueStore<String, Kept> sandboxes) {
    this.sandboxes = sandboxes;
  }

  /**
   * Goes on.
   *
   * @param consumer gets every sandbox of a lost node, by id, and the node
   */
  void step(Collection<Node> nodes, Budget budget, BiConsumer<String, Node> consumer) {
    while (!budget.isSpent()) {
      current = current.filter(node -> isLost(node, nodes)).or(() -> begin(nodes));
      if (current.isEmpty() || !scan(current.get(), budget, consumer)) {
        return;
      }
      doneEpochs.put(current.get().id(), current.get().epoch());
      current = Optional.empty();
    }
  }

  private Optional<Node> begin(Collection<Node> nodes) {
    resumeAt = null;
    return nodes.stream()
        .filter(node -> node.state() == Node.State.LOST)
        .filter(node -> doneEpochs.getOrDefault(node.id(), 0L) < node.epoch())
        .findFirst();
  }

  /** A node that came back meanwhile speaks for itself. */
  private static boolean isLost(Node scanned, Collection<Node> nodes) {
    return nodes.stream()
        .anyMatch(
            node ->
                node.id().equals(scanned.id())
                    && node.state() == Node.State.LOST
                    && node.epoch() == scanned.epoch());
  }

  /** Whether it came to the end. */
  private boolean scan(Node node, Budget budget, BiConsumer<String, Node> consumer) {
    try (KeyValueIterator<String, Kept> all = sandboxes.range(resumeAt, null)) {
      while (all.hasNext()) {
        if (budget.isSpent()) {
          resumeAt = all.peekNextKey();
          return false;
        }
        KeyValue<String, Kept> entry = all.next();
        if (entry.value.sandbox() instanceof Sandbox.Live live
            && live.tenure().node().equals(node.id())) {
          consumer.accept(entry.key, node);
        }
      }
      return true;
    }
  }
}
