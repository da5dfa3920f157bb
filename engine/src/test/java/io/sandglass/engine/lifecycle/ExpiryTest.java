package io.sandglass.engine.lifecycle;

import static io.sandglass.engine.lifecycle.Deadline.Kind.EXPIRY;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ExpiryTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  @Test
  void anEphemeralSandboxExpiresItsTimeoutAfterItWasAskedFor() {
    Life life = Life.ephemeral().after(MINUTE).running();

    assertThat(life.due(EXPIRY)).contains(Life.DAWN.plus(Duration.ofMinutes(5)));
  }

  @Test
  void aTimeoutBeyondTheLongestIsCutToIt() {
    Life life = Life.of(Commands.spec(new Mode.Ephemeral(Duration.ofDays(3_000))));

    assertThat(life.due(EXPIRY)).contains(Life.DAWN.plus(Duration.ofHours(24)));
  }

  @Test
  void aKeepAliveCountsFromNow() {
    Life life = Life.ephemeral().running().after(MINUTE);

    life.say(Commands.keepAlive(Duration.ofHours(1)));

    assertThat(life.due(EXPIRY)).contains(life.now().plus(Duration.ofHours(1)));
  }

  @Test
  void aKeepAliveWithoutTimeoutGivesTheSandboxItsOwnAgain() {
    Life life = Life.ephemeral().running().after(MINUTE);

    life.say(new Command.KeepAlive(Commands.OWNER, Optional.empty()));

    assertThat(life.due(EXPIRY)).contains(life.now().plus(Duration.ofMinutes(5)));
  }

  @Test
  void aKeepAliveIsClampedTo24Hours() {
    Life life = Life.ephemeral().running().after(MINUTE);

    life.say(Commands.keepAlive(Duration.ofHours(25)));

    assertThat(life.due(EXPIRY)).contains(life.now().plus(Duration.ofHours(24)));
  }

  @Test
  void aKeepAliveMayShortenTheTimeLeft() {
    Life life = Life.ephemeral().running();

    life.say(Commands.keepAlive(Duration.ofSeconds(1)));

    assertThat(life.due(EXPIRY)).contains(life.now().plusSeconds(1));
  }

  @Test
  void aKeepAliveThatIsDecidedBeforeTheExpiryWins() {
    Life life = Life.ephemeral().running();
    Deadline expiry = Deadline.of(life.state()).getFirst();
    life.after(Duration.ofMinutes(6)).say(Commands.keepAlive(MINUTE));

    assertThat(life.say(new Command.Elapse(expiry))).isInstanceOf(Decision.Ignored.class);
    assertThat(life.status()).isEqualTo(Status.RUNNING);
  }

  @Test
  void aKeepAliveThatIsDecidedAfterTheExpiryIsTooLate() {
    Life life = Life.ephemeral().running().elapse(EXPIRY);

    assertThat(life.say(Commands.keepAlive(MINUTE)))
        .isEqualTo(
            new Decision.Rejected(
                Rejection.NOT_RUNNING, "Expected a running sandbox, but it is destroyed"));
  }

  @Test
  void anExpiryThatFiresLateTellsWhenItWasDue() {
    Life life = Life.ephemeral().running().after(Duration.ofHours(2));
    Instant due = life.due(EXPIRY).orElseThrow();

    life.say(new Command.Elapse(new Deadline(EXPIRY, due)));

    Event.Header header = life.log().getLast().header();
    assertThat(header.dueAt()).contains(due);
    assertThat(header.at()).isEqualTo(life.now());
  }

  @Test
  void anExecutionInFlightNeverHoldsOffExpiry() {
    Life life = Life.ephemeral().running();
    life.say(Commands.begin("exe_1", Duration.ofHours(1)));

    assertThat(life.due(EXPIRY)).contains(Life.DAWN.plus(Duration.ofMinutes(5)));
    assertThat(life.elapse(EXPIRY).status()).isEqualTo(Status.DESTROYED);
  }

  @Test
  void anEphemeralSandboxThatHasNotStartedExpiresToo() {
    Life life = Life.of(Commands.spec(new Mode.Ephemeral(Duration.ofSeconds(30))));

    assertThat(life.elapse(EXPIRY).stage())
        .isInstanceOfSatisfying(
            Stage.Stopping.class,
            stopping -> assertThat(stopping.reason()).isEqualTo(EndReason.EXPIRED));
  }

  @Test
  void anEphemeralSandboxIsNeverIdle() {
    assertThat(Deadline.of(Life.ephemeral().running().state()))
        .extracting(Deadline::kind)
        .containsExactly(EXPIRY);
  }

  @Test
  void aPersistentSandboxNeverExpiresAndCannotBeKeptAlive() {
    Life life = Life.persistent().running();

    assertThat(life.due(EXPIRY)).isEmpty();
    assertThat(life.say(Commands.keepAlive(MINUTE)))
        .isInstanceOfSatisfying(
            Decision.Rejected.class,
            rejected -> assertThat(rejected.code()).isEqualTo(Rejection.NOT_EPHEMERAL));
  }

  @Test
  void noDurationOverflows() {
    for (Duration endless :
        List.of(Duration.ofSeconds(Long.MAX_VALUE), Duration.ofMillis(Long.MAX_VALUE))) {
      Life life = Life.of(Commands.spec(new Mode.Persistent(endless))).running();
      life.say(Commands.begin("exe_1", endless));

      assertThat(Deadline.of(life.state()))
          .allSatisfy(deadline -> assertThat(deadline.due().toEpochMilli()).isPositive());
    }
  }
}
