package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.runtime.Life;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that are here before the order that wakes their sandbox. */
final class AwaitRunningTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Life LIFE = new Life("sbx_a", 1);

  @TempDir Path data;

  @AutoClose("end")
  private NodeScenario node;

  private Executions executions;

  @BeforeEach
  void fallAsleep() throws Exception {
    node = NodeScenario.roomy(data);
    node.carryOut(node.start(LIFE));
    node.carryOut(new Order.Suspend(node.subject(LIFE), Depth.FROZEN));
    executions = node.process().executions();
  }

  private static final class Waiting {
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread thread;

    Waiting(Executions executions, long orderVersion) {
      thread =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      executions.awaitRunning(LIFE, orderVersion);
                      done.countDown();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                  });
    }

    /** It is let go well before the patience with a wake ends. */
    boolean isOverSoon() throws InterruptedException {
      return done.await(5, TimeUnit.SECONDS);
    }

    void awaitItWaits() {
      await().atMost(PATIENCE).until(() -> thread.getState() == Thread.State.TIMED_WAITING);
    }
  }

  @Test
  void oneThatWaitsIsLetGoWhenTheSandboxRuns() throws Exception {
    Order resume = new Order.Resume(node.subject(LIFE));
    Waiting waiting = new Waiting(executions, resume.subject().version());
    waiting.awaitItWaits();

    node.carryOut(resume);

    assertThat(waiting.isOverSoon()).isTrue();
    assertThat(node.process().residents().get("sbx_a").orElseThrow().phase())
        .isEqualTo(Resident.Phase.RUNNING);
  }

  @Test
  void aWakeThatFailsIsNotWaitedForAnyLonger() throws Exception {
    node.guests.silence(LIFE);
    Order resume = new Order.Resume(node.subject(LIFE));
    Waiting before = new Waiting(executions, resume.subject().version());
    before.awaitItWaits();

    node.carryOut(resume);

    assertThat(node.reports.of(LIFE, Report.ResumeFailed.class)).hasSize(1);
    assertThat(before.isOverSoon()).isTrue();
    assertThat(new Waiting(executions, resume.subject().version()).isOverSoon()).isTrue();
  }

  @Test
  void whatWillNotBeWokenHereIsNotWaitedFor() throws Exception {
    assertThat(new Waiting(executions, 0).isOverSoon()).isTrue();
    executions.awaitRunning(new Life("sbx_a", 2), 99);
    executions.awaitRunning(new Life("sbx_b", 1), 99);
    Waiting waiting = new Waiting(executions, 99);
    waiting.awaitItWaits();

    node.carryOut(new Order.Stop(node.subject(LIFE)));

    assertThat(waiting.isOverSoon()).isTrue();
  }
}
