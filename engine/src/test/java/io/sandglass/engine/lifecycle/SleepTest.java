package io.sandglass.engine.lifecycle;

import static io.sandglass.engine.lifecycle.Deadline.Kind.FREEZE;
import static io.sandglass.engine.lifecycle.Deadline.Kind.IDLE;
import static io.sandglass.engine.lifecycle.Deadline.Kind.RESUME;
import static io.sandglass.engine.lifecycle.Deadline.Kind.SUSPEND;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SleepTest {

  @Test
  void aSandboxIsSuspendedOnRequestUnlessAnExecutionIsInFlight() {
    Life busy = Life.persistent().running().executing();
    assertThat(busy.say(Commands.suspend()))
        .isInstanceOfSatisfying(
            Decision.Rejected.class,
            rejected -> assertThat(rejected.code()).isEqualTo(Rejection.EXECUTION_IN_FLIGHT));

    busy.say(Commands.ended(busy.origin(), "exe_1"));

    assertThat(busy.facts(Commands.suspend()))
        .containsExactly(new Fact.SuspendRequested(Depth.FROZEN, SuspendReason.REQUESTED, 1));
  }

  @Test
  void anExecutionWhoseEndIsOverdueNoLongerForbidsToSuspend() {
    Life life = Life.persistent().running().executing().after(Duration.ofMinutes(2));

    assertThat(life.facts(Commands.suspend())).hasSize(1);
  }

  @Test
  void aFrozenSandboxIsStoppedWhenItsMemoryIsWantedBack() {
    Life life = Life.persistent().frozen();
    assertThat(life.due(FREEZE)).contains(life.now().plus(Commands.PATIENCE.freezeFor()));

    life.elapse(FREEZE);
    life.say(Commands.fellAsleep(life.origin(), Depth.STOPPED));

    assertThat(life.stage()).isEqualTo(new Stage.Suspended(Depth.STOPPED, life.now()));
    assertThat(Deadline.of(life.state())).isEmpty();
  }

  @Test
  void itsNodeMayWantTheMemoryBackSooner() {
    Life life = Life.persistent().frozen();

    assertThat(life.facts(Commands.memoryWanted(life.origin())))
        .containsExactly(new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.MEMORY, 1));
    assertThat(life.log().getLast().header().cause()).isEqualTo(Cause.REPORT);
    assertThat(life.facts(Commands.memoryWanted(life.origin()))).isEmpty();
    assertThat(life.facts(Commands.fellAsleep(life.origin(), Depth.STOPPED)))
        .containsExactly(
            new Fact.SandboxSuspended(Depth.STOPPED, SuspendReason.MEMORY, Optional.empty()));
    assertThat(life.facts(Commands.memoryWanted(life.origin()))).isEmpty();
  }

  @Test
  void nobodyTakesTheMemoryOfOneThatIsWantedAwake() {
    Life running = Life.persistent().running();
    assertThat(running.facts(Commands.memoryWanted(running.origin()))).isEmpty();
    Life resuming = Life.persistent().resuming();
    assertThat(resuming.facts(Commands.memoryWanted(resuming.origin()))).isEmpty();
  }

  @Test
  void aSandboxThatCannotBeStoppedStaysFrozenAndIsTriedAgain() {
    Life life = Life.persistent().deepening();
    var lastActivity = life.tenure().lastActivityAt();

    life.after(Duration.ofSeconds(1)).say(Commands.suspendFailed(life.origin()));

    assertThat(life.stage()).isEqualTo(new Stage.Suspended(Depth.FROZEN, life.now()));
    assertThat(life.due(FREEZE)).contains(life.now().plus(Commands.PATIENCE.freezeFor()));
    assertThat(life.tenure().lastActivityAt()).isEqualTo(lastActivity);
  }

  @Test
  void aSandboxThatCannotBeFrozenRunsOnAndIsTriedAgainAfterAnotherIdleTimeout() {
    Life life = Life.persistent().suspending();

    life.say(Commands.suspendFailed(life.origin()));

    assertThat(life.status()).isEqualTo(Status.RUNNING);
    assertThat(life.due(IDLE)).contains(life.now().plus(Duration.ofMinutes(10)));
  }

  @Test
  void aWakeWhileFallingAsleepIsAskedForAtOnceFromTheDepthItWillHaveReached() {
    assertThat(Life.persistent().suspending().facts(Commands.wake()))
        .containsExactly(new Fact.ResumeRequested(Depth.FROZEN, 1));
    assertThat(Life.persistent().deepening().facts(Commands.wake()))
        .containsExactly(new Fact.ResumeRequested(Depth.STOPPED, 1));
  }

  @Test
  void theAnswerToASuspendThatAWakeOvertookChangesNothing() {
    Life life = Life.persistent().suspending();
    Command.Origin suspend = life.origin();
    life.say(Commands.wake());

    assertThat(life.facts(Commands.fellAsleep(suspend, Depth.FROZEN))).isEmpty();
    assertThat(life.facts(Commands.suspendFailed(suspend))).isEmpty();
    assertThat(life.facts(Commands.resumed(life.origin())))
        .containsExactly(new Fact.SandboxResumed());
  }

  @Test
  void theAnswerToAResumeThatWasAskedAgainMustBeTheNewestOnes() {
    Life life = Life.persistent().resuming();
    Command.Origin first = life.origin();
    life.elapse(RESUME);

    assertThat(life.facts(Commands.resumeFailed(first))).isEmpty();
    assertThat(life.facts(Commands.resumed(life.origin()))).hasSize(1);
  }

  @Test
  void anExitToldWhileAResumeIsUnansweredLeavesTheWordToTheAnswer() {
    Life life = Life.persistent().resuming();
    Command.Origin unasked = new Command.Origin(Commands.NODE, 1, 0);

    assertThat(life.facts(Commands.exited(unasked))).isEmpty();
    assertThat(life.facts(Commands.resumed(life.origin()))).hasSize(1);
    assertThat(life.status()).isEqualTo(Status.RUNNING);
  }

  @Test
  void aFrozenSandboxThatLostItsMemoryIsWokenFromItsFiles() {
    Life life = Life.persistent().resuming();

    assertThat(life.facts(Commands.exited(life.origin())))
        .containsExactly(new Fact.ResumeRequested(Depth.STOPPED, 1));
    assertThat(life.facts(Commands.exited(life.origin())))
        .containsExactly(
            new Fact.SandboxSuspended(Depth.STOPPED, SuspendReason.EXITED, Optional.empty()));
  }

  @Test
  void aSandboxThatCannotBeWokenSleepsOnAsDeepAsItDid() {
    Life life = Life.persistent().stopped().and(Commands.wake());

    life.say(Commands.resumeFailed(life.origin()));

    assertThat(life.stage()).isEqualTo(new Stage.Suspended(Depth.STOPPED, life.now()));
  }

  @Test
  void whatANodeDoesNotAnswerIsAskedAgainWithDoubledPatience() {
    Life life = Life.persistent().suspending();
    Duration patience = Commands.PATIENCE.suspendRetry();

    for (int attempt = 1; attempt <= 10; attempt++) {
      assertThat(life.stage())
          .isEqualTo(
              new Stage.Suspending(
                  Depth.FROZEN,
                  SuspendReason.IDLE,
                  Optional.empty(),
                  attempt,
                  life.now(),
                  life.state().version()));
      assertThat(life.due(SUSPEND))
          .contains(life.now().plus(patience.multipliedBy(1L << Math.min(attempt - 1, 6))));
      life.elapse(SUSPEND);
    }
  }

  @Test
  void anExecutionWakesASandboxThatIsFallingAsleep() {
    assertThat(Life.persistent().suspending().facts(Commands.begin("exe_1")))
        .hasSize(2)
        .last()
        .isEqualTo(new Fact.ResumeRequested(Depth.FROZEN, 1));
  }

  @Test
  void anExecutionThatTheNodeMayHaveBegunIsRecordedThoughTheSandboxIsBeingDestroyed() {
    Life life = Life.ephemeral().running().stopping();

    assertThat(life.facts(Commands.begin("exe_1"))).hasSize(1);
    assertThat(life.facts(Commands.ended(life.origin(), "exe_1"))).hasSize(1);
    assertThat(life.status()).isEqualTo(Status.DESTROYED);
  }

  @Test
  void theEndOfAnExecutionThatDiedWithItsSandboxIsRecorded() {
    Life life = Life.persistent().running().executing();
    life.say(Commands.outOfMemory(life.origin()));

    assertThat(life.facts(Commands.ended(life.origin(), "exe_1"))).hasSize(1);
    assertThat(life.status()).isEqualTo(Status.SUSPENDED);
  }

  @Test
  void aPersistentSandboxWhoseProcessExitsSleepsAndCanBeWoken() {
    Life life = Life.persistent().running();

    assertThat(life.facts(Commands.exited(life.origin())))
        .containsExactly(
            new Fact.SandboxSuspended(Depth.STOPPED, SuspendReason.EXITED, Optional.empty()));
    assertThat(life.facts(Commands.wake()))
        .containsExactly(new Fact.ResumeRequested(Depth.STOPPED, 1));
  }

  @Test
  void anEphemeralSandboxCanNeitherBeSuspendedNorWoken() {
    Life life = Life.ephemeral().running();

    for (Command request : List.of(Commands.suspend(), Commands.wake())) {
      assertThat(life.say(request))
          .isInstanceOfSatisfying(
              Decision.Rejected.class,
              rejected ->
                  assertThat(rejected.sentence())
                      .isEqualTo("Expected a persistent sandbox, but it is ephemeral"));
    }
  }
}
