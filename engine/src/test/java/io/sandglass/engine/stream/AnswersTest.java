package io.sandglass.engine.stream;

import static io.sandglass.engine.stream.Scenario.bare;
import static io.sandglass.engine.stream.Scenario.scenario;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Status;
import io.sandglass.schemas.CommandOutcome;
import io.sandglass.schemas.Topic;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Every command is answered once and for all. */
class AnswersTest {

  @Test
  void aRepeatedCommandIsAnsweredTheSameAndDoesNothing() {
    try (Scenario s = scenario().send(Orders.create("s1"), "cmd-a")) {
      CommandOutcome first = s.outcome();
      s.started("s1").advance(Duration.ofMinutes(1)).send(Orders.create("s1"), "cmd-a");
      assertThat(s.outcomes()).isEqualTo(2);
      assertThat(s.outcome()).isEqualTo(first);
      s.expect("s1", "SandboxRequested", "SandboxStarted");
    }
  }

  @Test
  void aRejectionIsRepeatedToo() {
    try (Scenario s = scenario().create("s1").send(Orders.execute("s1", "exe_1"), "cmd-a")) {
      CommandOutcome first = s.expectRejected("not_running").outcome();
      s.started("s1").send(Orders.execute("s1", "exe_1"), "cmd-a");
      assertThat(s.outcome()).isEqualTo(first);
      s.expect("s1", "SandboxRequested", "SandboxStarted");
    }
  }

  @Test
  void theSameIdForAnotherRequestIsAConflict() {
    try (Scenario s = scenario().send(Orders.create("s1").fingerprint("f1"), "cmd-a")) {
      s.send(Orders.create("s1").fingerprint("f2"), "cmd-a").expectRejected("idempotency_conflict");
      s.send(Orders.create("s1").fingerprint("f1"), "cmd-a").expectAccepted();
      s.expect("s1", "SandboxRequested");
    }
  }

  @Test
  void creatingAgainUnderAnotherCommandIdIsAnsweredByTheSandboxItself() {
    try (Scenario s = scenario().send(Orders.create("s1").fingerprint("f1"))) {
      s.send(Orders.create("s1").fingerprint("f1")).expectAccepted();
      s.send(Orders.create("s1").fingerprint("f2")).expectRejected("idempotency_conflict");
      s.expect("s1", "SandboxRequested");
    }
  }

  @Test
  void acceptedCommandsAreAnsweredTheSameByAnotherEngine() {
    try (Scenario s = scenario().send(Orders.create("s1").fingerprint("f1"), "cmd-a")) {
      CommandOutcome first = s.outcome();
      s.started("s1").reboot().send(Orders.create("s1").fingerprint("f1"), "cmd-a");
      assertThat(s.outcome()).isEqualTo(first);
      s.send(Orders.create("s1").fingerprint("f2"), "cmd-a").expectRejected("idempotency_conflict");
    }
  }

  @Test
  void receiptsAreKeptForADay() {
    try (Scenario s = scenario().send(Orders.create("s1"), "cmd-a").silence("n1")) {
      CommandOutcome first = s.outcome();
      s.down(Duration.ofHours(24)).up(0).send(Orders.create("s1"), "cmd-a");
      assertThat(s.outcome()).isEqualTo(first);
    }
  }

  @Test
  void othersDoNotTouchIt() {
    try (Scenario s = scenario().running("s1")) {
      s.send(Orders.destroy("s1").from("org_b")).expectRejected("foreign_organization");
      s.send(Orders.keepAlive("s1", Duration.ofHours(1)).from("org_b"))
          .expectRejected("foreign_organization");
      s.expect("s1", Status.RUNNING).expect("s1", "SandboxRequested", "SandboxStarted");
    }
  }

  @Test
  void whatNeverWasIsNotFound() {
    try (Scenario s = scenario().destroy("nobody").expectRejected("sandbox_not_found")) {
      assertThat(s.outcome().getVersion()).isZero();
      assertThat(s.events("nobody")).isEmpty();
    }
  }

  @Test
  void withoutANodeThereIsNoCapacity() {
    try (Scenario s = bare().create("s1").expectRejected("no_capacity")) {
      assertThat(s.events("s1")).isEmpty();
      s.node("n1").create("s1").expectAccepted();
    }
  }

  @Test
  void whoIsToldThatThereIsNoRoomMayAskAgain() {
    try (Scenario s = bare().send(Orders.create("s1"), "cmd-a").expectRejected("no_capacity")) {
      s.node("n1").send(Orders.create("s1"), "cmd-a").expectAccepted();
      s.send(Orders.create("s1"), "cmd-a").expectAccepted().expect("s1", "SandboxRequested");
    }
  }

  @Test
  void whoDoesNotListenIsNotAnswered() {
    try (Scenario s = scenario().running("s1")) {
      int answers = s.outcomes();
      s.send(Orders.execute("s1", "exe_1").withoutAnswer());
      s.send(Orders.execute("nobody", "exe_2").withoutAnswer());
      assertThat(s.outcomes()).isEqualTo(answers);
      s.expect("s1", "SandboxRequested", "SandboxStarted", "ExecutionStarted");
    }
  }

  @Test
  void everythingIsCounted() {
    try (Scenario s = scenario().running("s1").destroy("nobody")) {
      s.sendBytes(Topic.COMMANDS, "s1", new byte[0]);
      assertThat(s.rig().metrics.meter("engine.events.SandboxStarted").getCount()).isEqualTo(1);
      assertThat(s.rig().metrics.meter("engine.rejections.sandbox_not_found").getCount())
          .isEqualTo(1);
      assertThat(s.rig().metrics.meter("engine.dead_letters").getCount()).isEqualTo(1);
    }
  }
}
