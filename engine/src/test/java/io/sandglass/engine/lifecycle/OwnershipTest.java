package io.sandglass.engine.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OwnershipTest {

  @Test
  void theSameCreateAgainIsAcceptedAndCreatesNothing() {
    for (Life life : new Life[] {Life.ephemeral(), Life.ephemeral().running().ended()}) {
      Sandbox before = life.state();

      assertThat(life.say(Commands.create(Commands.spec(Commands.EPHEMERAL))))
          .isEqualTo(new Decision.Accepted(List.of()));
      assertThat(life.state()).isEqualTo(before);
    }
  }

  @Test
  void anotherCreateUnderTheSameIdIsAConflict() {
    Life life = Life.ephemeral();

    for (Optional<String> fingerprint : List.of(Optional.of("other"), Optional.<String>empty())) {
      assertThat(
              life.say(
                  Commands.create(
                      Commands.spec(Commands.EPHEMERAL, Commands.PATIENCE, fingerprint))))
          .isInstanceOfSatisfying(
              Decision.Rejected.class,
              rejected -> assertThat(rejected.code()).isEqualTo(Rejection.IDEMPOTENCY_CONFLICT));
    }
  }

  @Test
  void aRequestOfNoOrganizationCreatesNothing() {
    Life life = new Life();

    assertThat(
            life.say(
                new Command.Create(
                    new Command.Caller(
                        Optional.empty(), "nobody", Optional.empty(), Optional.empty()),
                    Commands.spec(Commands.EPHEMERAL),
                    Optional.of(Commands.NODE),
                    false)))
        .isInstanceOfSatisfying(
            Decision.Rejected.class,
            rejected -> assertThat(rejected.code()).isEqualTo(Rejection.FOREIGN_ORGANIZATION));
  }

  @Test
  void anEventTellsWhoCausedIt() {
    Life life = Life.ephemeral();
    Event.Header created = life.log().getFirst().header();
    life.running();
    Event.Header started = life.log().getLast().header();

    assertThat(created.actor()).isEqualTo("key:key_1");
    assertThat(created.cause()).isEqualTo(Cause.COMMAND);
    assertThat(created.requestId()).contains("req_1");
    assertThat(started.actor()).isEqualTo("node:node-1");
    assertThat(started.cause()).isEqualTo(Cause.REPORT);
    assertThat(started.org()).isEqualTo(Commands.ORG);
  }

  @Test
  void anEventKeepsNothingFinerThanAMillisecond() {
    Decision decision =
        Decider.decide(
            new Sandbox.Absent(),
            Commands.create(Commands.spec(Commands.EPHEMERAL)),
            Instant.parse("2026-11-01T12:00:00.123456789Z"));

    assertThat(((Decision.Accepted) decision).events().getFirst().header().at())
        .isEqualTo("2026-11-01T12:00:00.123Z");
  }
}
