package io.sandglass.engine.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlacementTest {
  private static final String IMAGE = "python";

  @Test
  void takesTheLeastLoaded() {
    assertThat(choose(List.of(node("a", 60, 1), node("b", 20, 1), node("c", 40, 1)))).contains("b");
  }

  @Test
  void theScarcerResourceCounts() {
    assertThat(choose(List.of(node("a", 10, 8), node("b", 60, 1)))).contains("b");
  }

  @Test
  void amongEqualsTheFirstById() {
    assertThat(choose(List.of(node("b", 10, 1), node("a", 10, 1)))).contains("a");
  }

  @Test
  void noRoomNoImageNotReadyNotAsked() {
    Node full = node("full", 95, 1);
    Node crowded = node("crowded", 0, 10);
    Node lost = node("lost", 0, 0).lost();
    Node excluded = node("excluded", 0, 0);
    Node imageless = with(node("imageless", 0, 0), Set.of("node"));
    assertThat(choose(List.of(full, crowded, lost, excluded, imageless))).isEmpty();
  }

  @Test
  void theLastPlaceIsTaken() {
    assertThat(choose(List.of(node("a", 90, 9)))).contains("a");
  }

  @Test
  void theTallyCountsUntilTheNodeSpeaks() {
    Tally tally = new Tally();
    Node before = node("a", 80, 1);
    tally.add(before, 15);
    assertThat(Placement.choose(List.of(before), IMAGE, 10, Set.of(), tally)).isEmpty();
    Node after = new Node(0, Node.State.READY, 1, heartbeat("a", 80, 1, Set.of(IMAGE), 2));
    assertThat(Placement.choose(List.of(after), IMAGE, 10, Set.of(), tally)).contains(after);
  }

  @Test
  void amongEqualsOneThatKeepsAContainerReady() {
    Node colder = node("a", 41, 0);
    Node warmer = warm(node("b", 48, 0), 1);
    assertThat(choose(List.of(colder, warmer))).contains("b");
    assertThat(choose(List.of(colder, warm(node("b", 48, 0), 0)))).contains("a");
    assertThat(choose(List.of(colder, warm(node("b", 51, 0), 1)))).contains("a");
    assertThat(choose(List.of(colder, warm(node("full", 95, 0), 3)))).contains("a");

    Tally tally = new Tally();
    tally.add(warmer, 0);
    assertThat(Placement.choose(List.of(colder, warmer), IMAGE, 10, Set.of(), tally))
        .as("the one it had is taken")
        .contains(colder);
  }

  private static Node warm(Node node, int ready) {
    Heartbeat said = node.heartbeat();
    return new Node(
        0,
        Node.State.READY,
        1,
        new Heartbeat(
            said.nodeId(),
            said.bootId(),
            said.dataPlaneUrl(),
            said.capacity(),
            said.used(),
            said.images(),
            said.labels(),
            said.at(),
            Map.of(IMAGE, new WarmStock(3, ready, 0, 0, 0))));
  }

  private static Optional<String> choose(List<Node> nodes) {
    return Placement.choose(nodes, IMAGE, 10, Set.of("excluded"), new Tally()).map(Node::id);
  }

  /** A node of 100 bytes and 10 places. */
  private static Node node(String id, long usedMemory, int sandboxes) {
    return new Node(0, Node.State.READY, 1, heartbeat(id, usedMemory, sandboxes, Set.of(IMAGE), 1));
  }

  private static Node with(Node node, Set<String> images) {
    return new Node(0, Node.State.READY, 1, heartbeat(node.id(), 0, 0, images, 1));
  }

  private static Heartbeat heartbeat(
      String id, long usedMemory, int sandboxes, Set<String> images, long at) {
    return new Heartbeat(
        id,
        "boot",
        "http://" + id,
        new Resources(1000, 100, 10),
        new Resources(0, usedMemory, sandboxes),
        images,
        Map.of(),
        Instant.ofEpochSecond(at),
        Map.of());
  }
}
