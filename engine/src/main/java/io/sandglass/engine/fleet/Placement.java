package io.sandglass.engine.fleet;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;

/**
 * Chooses the node for a sandbox. Works on what the nodes last said, so it may be wrong: the node
 * has the last word and may refuse.
 */
public final class Placement {
  /** In how many steps loads are compared at first. */
  private static final int STEPS = 10;

  private Placement() {}

  /**
   * The least loaded of the ready nodes that know the image and have the room, to a tenth of their
   * capacity; empty when there is none. Among those rather one that keeps a container of the image
   * ready, then the least loaded in full, then the first by id, so that the choice can be told
   * beforehand.
   *
   * @param excluded nodes not to be asked (again)
   * @param tally what was placed since the nodes last spoke
   */
  public static Optional<Node> choose(
      Collection<Node> nodes, String image, long memoryBytes, Set<String> excluded, Tally tally) {
    return nodes.stream()
        .filter(node -> node.state() == Node.State.READY)
        .filter(node -> !excluded.contains(node.id()))
        .filter(node -> node.heartbeat().images().contains(image))
        .filter(node -> fits(node, memoryBytes, tally))
        .min(
            Comparator.<Node>comparingDouble(
                    node -> Math.floor(STEPS * load(node, memoryBytes, tally)))
                .thenComparing(node -> !isWarm(node, image, tally))
                .thenComparingDouble(node -> load(node, memoryBytes, tally))
                .thenComparing(Node::id));
  }

  /** Whether it has more of them than sandboxes, of any image, have gone there since it spoke. */
  private static boolean isWarm(Node node, String image, Tally tally) {
    WarmStock stock = node.heartbeat().warm().get(image);
    return stock != null && stock.ready() > tally.sandboxes(node);
  }

  private static boolean fits(Node node, long memoryBytes, Tally tally) {
    Resources capacity = node.heartbeat().capacity();
    return memory(node, memoryBytes, tally) <= capacity.memoryBytes()
        && sandboxes(node, tally) <= capacity.sandboxes();
  }

  /** The scarcer of memory and places, as it would be with the sandbox: 0 is empty, 1 is full. */
  private static double load(Node node, long memoryBytes, Tally tally) {
    Resources capacity = node.heartbeat().capacity();
    return Math.max(
        memory(node, memoryBytes, tally) / (double) capacity.memoryBytes(),
        sandboxes(node, tally) / (double) capacity.sandboxes());
  }

  private static long memory(Node node, long memoryBytes, Tally tally) {
    return node.heartbeat().used().memoryBytes() + tally.memoryBytes(node) + memoryBytes;
  }

  private static int sandboxes(Node node, Tally tally) {
    return node.heartbeat().used().sandboxes() + tally.sandboxes(node) + 1;
  }
}
