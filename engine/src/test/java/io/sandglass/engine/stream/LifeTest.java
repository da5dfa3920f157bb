package io.sandglass.engine.stream;

import static io.sandglass.engine.stream.Scenario.scenario;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Status;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.SandboxEnded;
import io.sandglass.schemas.StopRequested;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** A sandbox's life through the topology. */
class LifeTest {

  @Test
  void startsAndExpires() {
    try (Scenario s = scenario().create("s1").expect("s1", Status.CREATING).expectAccepted()) {
      Instant expiry = s.now().plus(Orders.TIMEOUT);
      s.started("s1").expect("s1", Status.RUNNING).advance(ofMinutes(5).minusMillis(1));
      s.expect("s1", Status.RUNNING).advance(ofMillis(1)).expect("s1", Status.DESTROYED).gone("s1");
      s.expect("s1", "SandboxRequested", "SandboxStarted", "StopRequested", "SandboxEnded");

      StopRequested stop = (StopRequested) s.events("s1").get(2).body();
      assertThat(stop.getReason()).isEqualTo("expired");
      assertThat(stop.getMeta().getCause()).isEqualTo("deadline");
      assertThat(stop.getMeta().getActor()).isEqualTo("engine");
      assertThat(stop.getMeta().getDueAt()).isEqualTo(expiry);
      assertThat(stop.getMeta().getAt()).isEqualTo(expiry);
      assertThat(((SandboxEnded) s.events("s1").getLast().body()).getReason()).isEqualTo("expired");
      assertThat(s.rig().allDeadlines()).isEmpty();
    }
  }

  @Test
  void aHistoryTellsWhoAndWhy() {
    try (Scenario s = scenario().running("s1")) {
      EventMeta requested = Orders.meta(s.events("s1").getFirst());
      assertThat(requested.getEventId()).isEqualTo("s1-1");
      assertThat(requested.getOrgId()).isEqualTo(Orders.ORG);
      assertThat(requested.getActor()).isEqualTo("key:key_1");
      assertThat(requested.getCommandId()).isEqualTo("cmd-1");
      assertThat(requested.getRequestId()).isEqualTo("req-cmd-1");
      assertThat(requested.getStatusAfter()).isEqualTo("creating");
      assertThat(requested.getNodeId()).isEqualTo("n1");
      assertThat(requested.getIncarnation()).isEqualTo(1);
      EventMeta started = Orders.meta(s.events("s1").getLast());
      assertThat(started.getCause()).isEqualTo("report");
      assertThat(started.getActor()).isEqualTo("node:n1");
      assertThat(started.getStatusAfter()).isEqualTo("running");
    }
  }

  @Test
  void theRequestIdGoesWithAllThatTheRequestCauses() {
    try (Scenario s = scenario().create("s1")) {
      assertThat(s.events("s1").getFirst().requestId()).contains("req-cmd-1");
      assertThat(s.orders("s1").getFirst().requestId()).contains("req-cmd-1");
      assertThat(s.lastOutcome().requestId()).contains("req-cmd-1");
      assertThat(s.outcome().getRequestId()).isEqualTo("req-cmd-1");
      assertThat(s.lastOutcome().partition()).contains(Orders.REPLY_PARTITION);
    }
  }

  @Test
  void aKeepAliveMovesTheExpiry() {
    try (Scenario s = scenario().running("s1").advance(ofMinutes(4))) {
      s.keepAlive("s1", ofMinutes(10)).expectAccepted().advance(ofMinutes(9));
      s.expect("s1", Status.RUNNING).advance(ofMinutes(1)).expect("s1", Status.DESTROYED);
      s.keepAlive("s1", ofMinutes(10)).expectRejected("not_running");
    }
  }

  @Test
  void aStopWithoutAnswerIsAskedAgainAndCounted() {
    try (Scenario s = scenario().running("s1").destroy("s1").advance(ofSeconds(31))) {
      s.expect(
          "s1",
          "SandboxRequested",
          "SandboxStarted",
          "StopRequested",
          "StopRequested",
          "StopRequested");
      assertThat(s.orders("s1"))
          .extracting(sent -> sent.body().getSchema().getName())
          .containsExactly("SandboxRequested", "StopRequested", "StopRequested", "StopRequested");
      s.gone("s1").expect("s1", Status.DESTROYED).advance(ofMinutes(20));
      assertThat(s.events("s1")).hasSize(6);
    }
  }

  @Test
  void aStartWithoutAnswerIsGivenUp() {
    try (Scenario s = scenario().create("s1").advance(ofSeconds(60))) {
      s.expect("s1", "SandboxRequested", "StopRequested");
      assertThat(((StopRequested) s.events("s1").getLast().body()).getReason())
          .isEqualTo("start_failed");
    }
  }

  @Test
  void aPersistentOneFallsAsleepWhenIdleAndWakes() {
    try (Scenario s = scenario().send(Orders.createPersistent("s1")).started("s1")) {
      s.advance(Orders.IDLE_TIMEOUT).expect("s1", Status.SUSPENDED);
      s.report(
          "s1", (meta, origin) -> new io.sandglass.schemas.ReportSuspended(meta, origin, "frozen"));
      s.send(Orders.wake("s1")).expectAccepted();
      s.report("s1", io.sandglass.schemas.ReportResumed::new).expect("s1", Status.RUNNING);
      s.expect(
          "s1",
          "SandboxRequested",
          "SandboxStarted",
          "SuspendRequested",
          "SandboxSuspended",
          "ResumeRequested",
          "SandboxResumed");
    }
  }

  @Test
  void rebootsGoUnnoticedInEveryStage() {
    try (Scenario s = scenario().reboot().create("s1").reboot().started("s1").reboot()) {
      s.send(Orders.execute("s1", "exe_1")).reboot().advance(ofMinutes(1)).reboot();
      s.keepAlive("s1", ofMinutes(5)).reboot().advance(ofMinutes(5)).reboot().gone("s1").reboot();
      s.expect(
          "s1",
          "SandboxRequested",
          "SandboxStarted",
          "ExecutionStarted",
          "TimeoutExtended",
          "StopRequested",
          "SandboxEnded");
    }
  }

  @Test
  void destroyIsAcceptedTwiceInEveryStage() {
    assertDestroyedTwice(scenario().create("s1"));
    assertDestroyedTwice(scenario().running("s1"));
    assertDestroyedTwice(scenario().running("s1").send(Orders.execute("s1", "exe_1")));
    assertDestroyedTwice(
        scenario().send(Orders.createPersistent("s1")).started("s1").send(Orders.suspend("s1")));
    assertDestroyedTwice(asleep());
    assertDestroyedTwice(asleep().send(Orders.wake("s1")));
    assertDestroyedTwice(scenario().running("s1").advance(Duration.ofMinutes(5)));
  }

  private static Scenario asleep() {
    return scenario()
        .send(Orders.createPersistent("s1"))
        .started("s1")
        .send(Orders.suspend("s1"))
        .report(
            "s1",
            (meta, origin) -> new io.sandglass.schemas.ReportSuspended(meta, origin, "frozen"));
  }

  private static void assertDestroyedTwice(Scenario s) {
    try (s) {
      s.destroy("s1")
          .expectAccepted()
          .destroy("s1")
          .expectAccepted()
          .expect("s1", Status.DESTROYED);
      s.gone("s1").destroy("s1").expectAccepted();
      assertThat(s.events("s1").stream().filter(e -> e.body() instanceof StopRequested)).hasSize(1);
      assertThat(s.events("s1").stream().filter(e -> e.body() instanceof SandboxEnded)).hasSize(1);
    }
  }
}
