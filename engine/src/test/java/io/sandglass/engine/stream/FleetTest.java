package io.sandglass.engine.stream;

import static io.sandglass.engine.stream.Scenario.bare;
import static io.sandglass.engine.stream.Scenario.scenario;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.lifecycle.Status;
import io.sandglass.schemas.PlacementChanged;
import io.sandglass.schemas.Pulse;
import io.sandglass.schemas.RemoveContainer;
import io.sandglass.schemas.ReportObserved;
import io.sandglass.schemas.ReportSuspended;
import io.sandglass.schemas.SandboxEnded;
import io.sandglass.schemas.SandboxStarted;
import io.sandglass.schemas.StopRequested;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Several nodes: who gets what, who is lost, who comes back. */
class FleetTest {

  @Test
  void nodesGetTheLowestFreeSlotAndKeepIt() {
    try (Scenario s = bare().node("b").node("a").node("c")) {
      assertSlots(s, "b", 0, "a", 1, "c", 2);
      s.silence("b").advance(ofSeconds(30)).node("d").node("b");
      assertSlots(s, "b", 0, "a", 1, "c", 2, "d", 3);
      s.reboot().node("a");
      assertSlots(s, "b", 0, "a", 1, "c", 2, "d", 3);
    }
  }

  @Test
  void aNodeTooManyGetsNoSlot() {
    try (Scenario s = bare().node("a").node("b").node("c").node("d").node("e")) {
      assertThat(s.nodeStatuses()).containsOnlyKeys("a", "b", "c", "d");
    }
  }

  @Test
  void ordersGoToTheSlotOfTheNode() {
    try (Scenario s = bare().node("a").node("b").create("s1").create("s2").started("s2")) {
      s.destroy("s2");
      assertThat(s.orders("s1")).extracting(Rig.Sent::partition).containsExactly(slot(0));
      assertThat(s.orders("s2")).extracting(Rig.Sent::partition).containsExactly(slot(1), slot(1));
      assertThat(Orders.meta(s.orders("s2").getLast()).getNodeId()).isEqualTo("b");
    }
  }

  @Test
  void aSandboxRunsAtOnceWhereAContainerIsSetAsideForIt() {
    try (Scenario s = bare().node("a").node("b")) {
      s.send(Orders.createOn("b", "s1")).expectAccepted();
      s.expect("s1", "SandboxRequested", "SandboxStarted").expect("s1", Status.RUNNING);
      assertThat(s.events("s1"))
          .extracting(sent -> Orders.meta(sent).getNodeId())
          .containsExactly("b", "b");
      SandboxStarted started = (SandboxStarted) s.events("s1").getLast().body();
      assertThat(started.getWarm()).isTrue();
      assertThat(started.getMeta().getCause()).isEqualTo("command");
      assertThat(s.orders("s1")).extracting(Rig.Sent::partition).containsExactly(slot(1));
      // What the node says when it comes to the order tells nothing new.
      s.started("s1").expect("s1", "SandboxRequested", "SandboxStarted");
    }
  }

  @Test
  void aContainerThatIsSetAsideByALostNodeIsNotCountedOn() {
    try (Scenario s = bare().node("a").node("b").silence("b").advance(ofSeconds(14))) {
      s.send(Orders.createOn("b", "s1")).expectAccepted();
      s.expect("s1", "SandboxRequested").expect("s1", Status.CREATING);
      assertThat(Orders.meta(s.events("s1").getFirst()).getNodeId()).isEqualTo("a");
      s.send(Orders.createOn("nowhere", "s2")).expectAccepted().expect("s2", Status.CREATING);
    }
  }

  @Test
  void aSandboxWhoseContainerWasLostAfterAllEnds() {
    try (Scenario s = bare().node("a").node("b").send(Orders.createOn("a", "s1"))) {
      s.refused("s1").expect("s1", "SandboxRequested", "SandboxStarted", "SandboxEnded");
      assertThat(((SandboxEnded) s.events("s1").getLast().body()).getReason())
          .isEqualTo("runtime_lost");
    }
  }

  @Test
  void theLoadIsSpreadBetweenHeartbeats() {
    try (Scenario s = bare().node("a").node("b")) {
      for (int i = 0; i < 10; i++) {
        s.create("s" + i);
      }
      assertThat(s.events())
          .extracting(sent -> Orders.meta(sent).getNodeId())
          .containsOnly("a", "b")
          .filteredOn("a"::equals)
          .hasSize(5);
    }
  }

  @Test
  void aSandboxGoesOnlyWhereItFits() {
    try (Scenario s =
        bare()
            .node("small", beats -> beats.memory(Beats.GIB))
            .node("big")
            .node("bare", beats -> beats.images())) {
      s.send(Orders.create("s1", "performance-1x", 2 * Beats.GIB)).expectAccepted();
      assertThat(Orders.meta(s.events("s1").getFirst()).getNodeId()).isEqualTo("big");
      s.send(Orders.create("s2", "huge", 9 * Beats.GIB)).expectRejected("no_capacity");
    }
  }

  @Test
  void whatWasPlacedCountsBeforeTheNodeTellsOfIt() {
    try (Scenario s = bare().node("n1", beats -> beats.places(2))) {
      s.create("s1").expectAccepted().create("s2").expectAccepted();
      s.create("s3").expectRejected("no_capacity");
      s.advance(ofSeconds(2)).create("s4").expectAccepted();
    }
  }

  @Test
  void aRefusedSandboxGoesToAnotherNodeUntilEnoughWereAsked() {
    try (Scenario s = bare().node("a").node("b").create("s1")) {
      s.refused("s1").expect("s1", "SandboxRequested", "PlacementChanged");
      PlacementChanged moved = (PlacementChanged) s.events("s1").getLast().body();
      assertThat(moved.getRefusedBy()).isEqualTo("a");
      assertThat(moved.getMeta().getNodeId()).isEqualTo("b");
      assertThat(moved.getMeta().getIncarnation()).isEqualTo(2);
      assertThat(s.orders("s1").getLast().partition()).isEqualTo(slot(1));
      s.refused("s1").refused("s1");
      s.expect("s1", "SandboxRequested", "PlacementChanged", "PlacementChanged", "SandboxEnded");
      assertThat(((SandboxEnded) s.events("s1").getLast().body()).getReason())
          .isEqualTo("start_failed");
    }
  }

  @Test
  void aRefusalWithNowhereElseToGoEndsIt() {
    try (Scenario s = scenario().create("s1").refused("s1")) {
      s.expect("s1", "SandboxRequested", "SandboxEnded");
    }
  }

  @Test
  void aSilentNodeIsLostAndWithItWhatRanThere() {
    try (Scenario s = bare().node("a").node("b").running("s1").running("s2")) {
      Instant lastHeard = s.now();
      s.silence("a").advance(ofSeconds(10));
      assertThat(s.nodeStatus("a").state()).isEqualTo(Node.State.READY);
      s.advance(ofSeconds(4));
      assertThat(s.nodeStatus("a").state()).isEqualTo(Node.State.LOST);
      s.expect("s1", "SandboxRequested", "SandboxStarted", "SandboxEnded");
      s.expect("s2", Status.RUNNING);
      SandboxEnded ended = (SandboxEnded) s.events("s1").getLast().body();
      assertThat(ended.getReason()).isEqualTo("node_lost");
      assertThat(ended.getAliveUntil()).isEqualTo(lastHeard);
      assertThat(ended.getMeta().getCause()).isEqualTo("node_loss");
    }
  }

  @Test
  void whatHadNotStartedOnALostNodeIsPlacedElsewhere() {
    try (Scenario s = bare().node("a").create("s1").node("b").silence("a").advance(ofSeconds(14))) {
      s.expect("s1", "SandboxRequested", "PlacementChanged");
      assertThat(Orders.meta(s.events("s1").getLast()).getNodeId()).isEqualTo("b");
    }
  }

  @Test
  void aLossIsNoticedAlsoByAnEngineThatWasAway() {
    try (Scenario s = scenario().running("s1").silence("n1").advance(ofSeconds(5)).reboot()) {
      s.advance(ofSeconds(59)).expect("s1", Status.RUNNING);
      s.advance(ofSeconds(5)).expect("s1", Status.DESTROYED);
    }
  }

  @Test
  void aNodeThatComesBackAfterTheEngineIsNotLost() {
    try (Scenario s = scenario().running("s1").silence("n1").reboot().advance(ofSeconds(50))) {
      s.node("n1").advance(ofSeconds(30)).expect("s1", Status.RUNNING);
      assertThat(s.nodeStatus("n1").epoch()).isEqualTo(1);
      s.silence("n1").advance(ofSeconds(14)).expect("s1", Status.DESTROYED);
    }
  }

  @Test
  void anEngineThatWasAwayDoesNotTakeEverybodyForLost() {
    try (Scenario s = scenario().running("s1").down(ofMinutes(1)).up(0).advance(ofMillis(1500))) {
      s.beat("n1").advance(ofSeconds(30)).expect("s1", Status.RUNNING);
      assertThat(s.nodeStatus("n1").epoch()).isEqualTo(1);
    }
  }

  @Test
  void pulsesOfAnotherLifeCountForNobody() {
    try (Scenario s = scenario()) {
      byte[] pulse = WireFormat.encode(new Pulse(Scenario.START.minusSeconds(60)));
      for (int i = 0; i < 20; i++) {
        s.sendBytes(Topic.HEARTBEATS, "engine", pulse);
      }
      assertThat(s.nodeStatus("n1").state()).isEqualTo(Node.State.READY);
      assertThat(s.deadLetters()).isEmpty();
    }
  }

  @Test
  void aNodeThatComesBackIsToldApart() {
    try (Scenario s = scenario().silence("n1").advance(ofSeconds(14)).node("n1")) {
      assertThat(s.nodeStatus("n1").state()).isEqualTo(Node.State.READY);
      assertThat(s.nodeStatus("n1").epoch()).isEqualTo(2);
      s.node("n1", beats -> beats.boot("boot-2"));
      assertThat(s.nodeStatus("n1").epoch()).isEqualTo(3);
      s.beat("n1");
      assertThat(s.nodeStatus("n1").epoch()).isEqualTo(3);
    }
  }

  @Test
  void aPersistentSandboxWaitsForItsNode() {
    try (Scenario s = scenario().send(Orders.createPersistent("s1")).started("s1")) {
      s.silence("n1").advance(ofSeconds(14)).expect("s1", Status.SUSPENDED);
      s.node("n1").send(Orders.wake("s1")).expectAccepted();
      s.report("s1", io.sandglass.schemas.ReportResumed::new).expect("s1", Status.RUNNING);
    }
  }

  @Test
  void whatIsAskedOfALostNodeIsNotWaitedFor() {
    try (Scenario s = asleepOnALostNode()) {
      s.send(Orders.wake("s1")).expectAccepted().expect("s1", Status.SUSPENDED);
      s.destroy("s1").expectAccepted().advance(ofMinutes(1));
      assertThat(s.events("s1").getLast().body()).isInstanceOf(SandboxEnded.class);
      assertThat(s.rig().allDeadlines()).isEmpty();
    }
  }

  private static Scenario asleepOnALostNode() {
    return scenario()
        .send(Orders.createPersistent("s1"))
        .started("s1")
        .send(Orders.suspend("s1"))
        .report("s1", (meta, origin) -> new ReportSuspended(meta, origin, "stopped"))
        .silence("n1")
        .advance(ofSeconds(14));
  }

  @Test
  void aFoundContainerThatDoesNotBelongIsRemoved() {
    try (Scenario s = bare().node("a").node("b")) {
      s.send(
          Orders.report(
              "ghost", "b", 7, 0, (meta, origin) -> new ReportObserved(meta, origin, "running")));
      Rig.Sent order = s.orders("ghost").getLast();
      RemoveContainer removal = (RemoveContainer) order.body();
      assertThat(removal.getNodeId()).isEqualTo("b");
      assertThat(removal.getIncarnation()).isEqualTo(7);
      assertThat(order.partition()).isEqualTo(slot(1));
      assertThat(s.events("ghost")).isEmpty();
    }
  }

  @Test
  void aLateReportChangesNothing() {
    try (Scenario s = bare().node("a").node("b").create("s1")) {
      Orders.Command late =
          Orders.report(
              "s1",
              s.lastOrder("s1"),
              (meta, origin) -> new io.sandglass.schemas.ReportStarted(meta, origin, false));
      s.refused("s1").send(late).expect("s1", Status.CREATING);
      s.started("s1").destroy("s1").gone("s1").send(late);
      s.expect(
          "s1",
          "SandboxRequested",
          "PlacementChanged",
          "SandboxStarted",
          "StopRequested",
          "SandboxEnded");
      assertThat(s.outcomes()).isEqualTo(2);
    }
  }

  @Test
  void aRepeatedReportChangesNothing() {
    try (Scenario s = scenario().running("s1").started("s1").started("s1")) {
      s.expect("s1", "SandboxRequested", "SandboxStarted").destroy("s1").gone("s1").gone("s1");
      assertThat(s.events("s1").stream().filter(e -> e.body() instanceof StopRequested)).hasSize(1);
      assertThat(s.events("s1").stream().filter(e -> e.body() instanceof SandboxEnded)).hasSize(1);
    }
  }

  private static Optional<Integer> slot(int slot) {
    return Optional.of(slot);
  }

  private static void assertSlots(Scenario s, Object... expected) {
    for (Object[] pair : pairs(expected)) {
      assertThat(s.nodeStatus((String) pair[0]).slot()).as("%s", pair[0]).isEqualTo(pair[1]);
    }
  }

  private static List<Object[]> pairs(Object... values) {
    return IntStream.range(0, values.length / 2)
        .mapToObj(i -> new Object[] {values[2 * i], values[2 * i + 1]})
        .toList();
  }
}
