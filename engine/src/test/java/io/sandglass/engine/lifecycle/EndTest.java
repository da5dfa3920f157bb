package io.sandglass.engine.lifecycle;

import static io.sandglass.engine.lifecycle.Deadline.Kind.START;
import static io.sandglass.engine.lifecycle.Deadline.Kind.STOP;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Cells.Example;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class EndTest {

  @TestFactory
  List<DynamicTest> destroyIsIdempotentInEveryStage() {
    return Cells.EXAMPLES.stream()
        .filter(example -> !(example.life().state() instanceof Sandbox.Absent))
        .map(
            example ->
                DynamicTest.dynamicTest(
                    String.join(" ", example.column(), example.mode(), example.detail()),
                    () -> destroyTwice(example)))
        .toList();
  }

  private static void destroyTwice(Example example) {
    Sandbox once = destroy(example.life().state());
    assertThat(Status.of(once)).isEqualTo(Status.DESTROYED);
    assertThat(destroy(once)).isEqualTo(once);
  }

  private static Sandbox destroy(Sandbox before) {
    Decision decision = Decider.decide(before, Commands.destroy(), Life.DAWN);
    assertThat(decision).isInstanceOf(Decision.Accepted.class);
    Sandbox after = before;
    for (Event event : ((Decision.Accepted) decision).events()) {
      after = Evolution.evolve(after, event);
    }
    return after;
  }

  @Test
  void aStopIsAskedAgainWithDoubledPatienceAndCountedUntilItIsDone() {
    Life life = Life.ephemeral().running().stopping();

    for (int attempt = 1; attempt <= 10; attempt++) {
      assertThat(((Stage.Stopping) life.stage()).attempt()).isEqualTo(attempt);
      Duration patience =
          Commands.PATIENCE.stopRetry().multipliedBy(1L << Math.min(attempt - 1, 6));
      assertThat(life.due(STOP)).contains(life.now().plus(patience));
      life.elapse(STOP);
    }

    life.say(Commands.gone(life.origin()));
    assertThat(life.state())
        .isInstanceOfSatisfying(
            Sandbox.Ended.class,
            ended -> assertThat(ended.reason()).isEqualTo(EndReason.REQUESTED));
  }

  @Test
  void theFirstReasonToEndIsTheOneThatIsTold() {
    Life life = Life.ephemeral().running().elapse(Deadline.Kind.EXPIRY);
    life.and(Commands.destroy()).and(Commands.exited(life.origin())).elapse(STOP);

    assertThat(life.facts(Commands.gone(life.origin())))
        .containsExactly(
            new Fact.SandboxEnded(EndReason.EXPIRED, "its timeout ran out", Optional.empty()));
  }

  @Test
  void aContainerThatVanishesEndsTheSandbox() {
    Life life = Life.persistent().stopped();

    assertThat(life.facts(Commands.gone(life.origin())))
        .containsExactly(
            new Fact.SandboxEnded(EndReason.RUNTIME_LOST, "no such container", Optional.empty()));
  }

  @Test
  void anEphemeralSandboxWhoseProcessExitsIsRemovedAndTellsWhetherMemoryRanOut() {
    Life plain = Life.ephemeral().running();
    Life greedy = Life.ephemeral().running();

    assertThat(plain.facts(Commands.exited(plain.origin())))
        .containsExactly(
            new Fact.StopRequested(EndReason.EXITED, "its first process ended with 0", 1));
    assertThat(greedy.facts(Commands.outOfMemory(greedy.origin())))
        .containsExactly(new Fact.StopRequested(EndReason.OOM_KILLED, "out of memory", 1));
  }

  @Test
  void aStartThatTakesTooLongIsGivenUp() {
    Life life = Life.persistent();

    assertThat(life.due(START)).contains(Life.DAWN.plus(Commands.PATIENCE.start()));
    assertThat(life.elapse(START).log().getLast().fact())
        .isEqualTo(
            new Fact.StopRequested(
                EndReason.START_FAILED, "node node-1 did not start it within 60 s", 1));
  }

  @Test
  void aStartThatIsReportedAfterItWasGivenUpChangesNothing() {
    Life life = Life.persistent().elapse(START);

    assertThat(life.say(Commands.started(life.origin()))).isInstanceOf(Decision.Ignored.class);
  }
}
