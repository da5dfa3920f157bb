package io.sandglass.engine.lifecycle;

import static io.sandglass.engine.lifecycle.Deadline.Kind.IDLE;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class InactivityTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration IDLE_TIMEOUT = Duration.ofMinutes(10);

  @Test
  void aPersistentSandboxFallsAsleepItsIdleTimeoutAfterItStarted() {
    Life life = Life.persistent().after(MINUTE).running();

    assertThat(life.due(IDLE)).contains(life.now().plus(IDLE_TIMEOUT));
    assertThat(life.elapse(IDLE).stage())
        .isInstanceOfSatisfying(
            Stage.Suspending.class,
            suspending -> {
              assertThat(suspending.depth()).isEqualTo(Depth.FROZEN);
              assertThat(suspending.reason()).isEqualTo(SuspendReason.IDLE);
            });
  }

  @Test
  void theStartOfAnExecutionIsActivity() {
    Life life = Life.persistent().running().after(MINUTE);

    life.say(Commands.begin("exe_1", Duration.ofSeconds(1)));

    assertThat(life.due(IDLE)).contains(life.now().plus(IDLE_TIMEOUT));
  }

  @Test
  void theEndOfAnExecutionIsActivity() {
    Life life = Life.persistent().running().executing().after(MINUTE);

    life.say(Commands.ended(life.origin(), "exe_1"));

    assertThat(life.due(IDLE)).contains(life.now().plus(IDLE_TIMEOUT));
    assertThat(life.tenure().inFlight()).isEmpty();
  }

  @Test
  void aTouchIsActivity() {
    Life life = Life.persistent().running().after(MINUTE).and(Commands.touch());

    assertThat(life.due(IDLE)).contains(life.now().plus(IDLE_TIMEOUT));
  }

  @Test
  void aWakeIsActivityAlsoWhenItIsAwake() {
    Life life = Life.persistent().running().after(MINUTE).and(Commands.wake());

    assertThat(life.due(IDLE)).contains(life.now().plus(IDLE_TIMEOUT));
  }

  @Test
  void comingBackIsActivity() {
    Life life = Life.persistent().resuming().after(MINUTE);

    life.say(Commands.resumed(life.origin()));

    assertThat(life.due(IDLE)).contains(life.now().plus(IDLE_TIMEOUT));
  }

  @Test
  void anotherEgressPolicyIsNoActivity() {
    Life life = Life.persistent().running();
    Instant idleAt = life.due(IDLE).orElseThrow();

    life.after(MINUTE).say(Commands.changeEgress(Commands.CLOSED));

    assertThat(life.due(IDLE)).contains(idleAt);
  }

  @Test
  void whatIsTurnedDownIsNoActivity() {
    Life life = Life.persistent().running();
    Instant idleAt = life.due(IDLE).orElseThrow();

    life.after(MINUTE)
        .and(Commands.keepAlive(MINUTE))
        .and(new Command.Touch(Commands.STRANGER, "files", Optional.empty()))
        .and(new Command.Wake(Commands.STRANGER));

    assertThat(life.due(IDLE)).contains(idleAt);
  }

  @Test
  void whatTheNodeFindsAsItShouldBeIsNoActivity() {
    Life life = Life.persistent().running();
    Instant idleAt = life.due(IDLE).orElseThrow();

    life.after(MINUTE).say(Commands.observed(life.origin(), Command.Phase.RUNNING));

    assertThat(life.due(IDLE)).contains(idleAt);
  }

  @Test
  void anExecutionInFlightHoldsOffTheIdleSuspend() {
    Life life = Life.persistent().running();
    Duration hour = Duration.ofHours(1);

    life.say(Commands.begin("exe_1", hour));

    assertThat(life.due(IDLE)).contains(life.now().plus(hour).plus(InFlight.GRACE));
  }

  @Test
  void theLongestOfSeveralExecutionsHoldsOffTheIdleSuspend() {
    Life life = Life.persistent().running();
    Instant begun = life.now();
    life.say(Commands.begin("exe_1", Duration.ofHours(1)));
    life.say(Commands.begin("exe_2", Duration.ofHours(2)));
    life.after(MINUTE).say(Commands.ended(life.origin(), "exe_2"));

    assertThat(life.due(IDLE)).contains(begun.plus(Duration.ofHours(1)).plus(InFlight.GRACE));
  }

  @Test
  void anExecutionWhoseEndIsNeverReportedStopsHoldingItOff() {
    Life life = Life.persistent().running();
    life.say(Commands.begin("exe_1", Duration.ofHours(1)));

    assertThat(life.elapse(IDLE).stage()).isInstanceOf(Stage.Suspending.class);
  }

  @Test
  void anExecutionWhoseEndIsNeverReportedIsForgottenWithTheNextOne() {
    Life life = Life.persistent().running();
    life.say(Commands.begin("exe_1", MINUTE));

    life.after(Duration.ofMinutes(2)).say(Commands.begin("exe_2", MINUTE));

    assertThat(life.tenure().inFlight()).containsOnlyKeys("exe_2");
  }

  @Test
  void theSameExecutionBegunTwiceIsOne() {
    Life life = Life.persistent().running().executing();

    assertThat(life.facts(Commands.begin("exe_1"))).isEmpty();
  }

  @Test
  void anIdleDeadlineFromBeforeTheLastActivityDoesNothing() {
    Life life = Life.persistent().running();
    Deadline idle = Deadline.of(life.state()).getFirst();
    life.after(IDLE_TIMEOUT).say(Commands.touch());

    assertThat(life.say(new Command.Elapse(idle))).isInstanceOf(Decision.Ignored.class);
  }
}
