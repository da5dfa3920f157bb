package io.sandglass.engine.fleet;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Takes nodes in: gives each its slot and counts its epochs. */
public final class Register {
  private Register() {}

  /**
   * What a heartbeat makes of its node; empty when it is new and every slot is taken.
   *
   * @param known all nodes there ever were
   * @param slots how many there can be
   */
  public static Optional<Node> admit(Collection<Node> known, Heartbeat heartbeat, int slots) {
    Optional<Node> before =
        known.stream().filter(node -> node.id().equals(heartbeat.nodeId())).findFirst();
    if (before.isPresent()) {
      return Optional.of(next(before.get(), heartbeat));
    }
    Set<Integer> taken = known.stream().map(Node::slot).collect(Collectors.toSet());
    return IntStream.range(0, slots)
        .filter(slot -> !taken.contains(slot))
        .boxed()
        .findFirst()
        .map(slot -> new Node(slot, Node.State.READY, 1, heartbeat));
  }

  private static Node next(Node before, Heartbeat heartbeat) {
    boolean returned =
        switch (before.state()) {
          case LOST -> true;
          case READY -> !before.heartbeat().bootId().equals(heartbeat.bootId());
        };
    return new Node(
        before.slot(), Node.State.READY, returned ? before.epoch() + 1 : before.epoch(), heartbeat);
  }
}
