package io.sandglass.engine.stream;

import static io.sandglass.engine.stream.Scenario.scenario;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Status;
import io.sandglass.schemas.EventMeta;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Deadlines that came due while no engine ran, and those that come due all at once. */
class RecoveryTest {

  @Test
  void whatCameDueMeanwhileFiresOnReturnOnce() {
    try (Scenario s = scenario().running("s1")) {
      Instant expiry = Scenario.START.plus(Orders.TIMEOUT);
      s.down(ofMinutes(30)).up(0).beat("n1").advance(ofMillis(100));
      s.expect("s1", "SandboxRequested", "SandboxStarted", "StopRequested");
      EventMeta stop = Orders.meta(s.events("s1").getLast());
      assertThat(stop.getDueAt()).isEqualTo(expiry);
      assertThat(stop.getAt()).isEqualTo(s.now());
      s.gone("s1").reboot().advance(ofMinutes(1));
      s.expect("s1", "SandboxRequested", "SandboxStarted", "StopRequested", "SandboxEnded");
    }
  }

  @Test
  void aKeepAliveThatWaitedMeanwhileWins() {
    try (Scenario s = scenario().running("s1").running("s2")) {
      s.down(ofMinutes(30)).up(2).beat("n1").advance(ofSeconds(5));
      s.expect("s1", Status.RUNNING).expect("s2", Status.RUNNING);
      s.keepAlive("s1", ofMinutes(5)).expectAccepted().advance(ofMillis(100));
      s.expect("s2", Status.RUNNING);
      s.keepAlive("s1", ofMinutes(5)).expectAccepted().advance(ofMillis(100));
      s.expect("s1", Status.RUNNING).expect("s2", Status.DESTROYED);
      s.advance(ofMinutes(5)).expect("s1", Status.DESTROYED);
    }
  }

  @Test
  void silenceEndsTheWaitForWhatNeverComes() {
    try (Scenario s = scenario().running("s1").down(ofMinutes(30)).up(5).beat("n1")) {
      s.advance(CatchUp.SILENCE.minusSeconds(1)).expect("s1", Status.RUNNING);
      s.advance(ofSeconds(2)).expect("s1", Status.DESTROYED);
    }
  }

  @Test
  void catchingUpAsksAgainWhenKafkaDoesNotAnswer() {
    AtomicInteger asked = new AtomicInteger();
    Backlog backlog =
        _ ->
            asked.getAndIncrement() == 0
                ? CompletableFuture.failedFuture(new IllegalStateException("away"))
                : CompletableFuture.completedFuture(OptionalLong.of(1));
    Instant now = Scenario.START;
    CatchUp catchUp = new CatchUp(backlog, new TopicPartition("t", 0), now);
    assertThat(catchUp.isOver(now)).isFalse();
    assertThat(asked).hasValue(1);
    assertThat(catchUp.isOver(now.plusSeconds(1))).isFalse();
    assertThat(asked).hasValue(2);
    catchUp.processed(0, now);
    assertThat(catchUp.isOver(now.plusSeconds(1))).isFalse();
    catchUp.processed(1, now);
    assertThat(catchUp.isOver(now.plusSeconds(1))).isTrue();
  }

  @Test
  void aThousandAtOnceFireInOneGoWhenTheBudgetLasts() {
    try (Scenario s = thousand(scenario())) {
      s.advance(ofMinutes(5));
      assertThat(stopped(s)).isEqualTo(1000);
      assertThat(s.rig().metrics.histogram("engine.deadline_lag_ms").getSnapshot().getMax())
          .isZero();
    }
  }

  @Test
  void aSpentBudgetLetsTheRestWaitForTheNextTick() {
    // A millisecond passes whenever somebody looks at the watch; the budget is 250 of them.
    AtomicLong watch = new AtomicLong();
    try (Scenario s = thousand(Scenario.timedBy(() -> watch.addAndGet(1_000_000)))) {
      s.advance(ofMinutes(5));
      assertThat(stopped(s)).isBetween(200, 300);
      s.advance(Rig.TICK);
      assertThat(stopped(s)).isBetween(400, 600);
      s.advance(Rig.TICK).advance(Rig.TICK).advance(Rig.TICK);
      assertThat(stopped(s)).isEqualTo(1000);
    }
  }

  @Test
  void lossesAreGoneThroughWithinTheBudgetToo() {
    AtomicLong watch = new AtomicLong();
    try (Scenario s = thousand(Scenario.timedBy(() -> watch.addAndGet(1_000_000)))) {
      s.silence("n1").advance(ofSeconds(13));
      int first = ended(s);
      assertThat(first).isBetween(1, 300);
      s.advance(ofSeconds(6));
      assertThat(ended(s)).isEqualTo(1000);
    }
  }

  private static Scenario thousand(Scenario s) {
    for (int i = 0; i < 1000; i++) {
      s.send(Orders.create("s" + i, "tiny", 1));
    }
    for (int i = 0; i < 1000; i++) {
      s.started("s" + i);
    }
    return s;
  }

  private static int stopped(Scenario s) {
    return count(s, "StopRequested");
  }

  private static int ended(Scenario s) {
    return count(s, "SandboxEnded");
  }

  private static int count(Scenario s, String type) {
    return (int)
        s.events().stream().filter(sent -> sent.body().getSchema().getName().equals(type)).count();
  }
}
