package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Growing pauses between attempts.
 *
 * @param first pause, doubled each time
 * @param most the longest pause
 */
record Backoff(Duration first, Duration most) {
  private static final Logger LOG = LoggerFactory.getLogger(Backoff.class);

  Duration after(int attempt) {
    Duration pause = first.multipliedBy(1L << Math.min(attempt - 1, 20));
    return pause.compareTo(most) < 0 ? pause : most;
  }

  /** Tries until the runtime has answered and the disk has room, or the work is preempted. */
  <T> T insist(String what, Preemption preemption, Supplier<T> work) {
    for (int attempt = 1; ; attempt++) {
      preemption.check();
      try {
        return work.get();
      } catch (RuntimeUnavailableException | UncheckedIOException e) {
        LOG.warn("what=\"{}\" attempt={} failed: {}", what, attempt, e.getMessage());
      }
      preemption.pause(after(attempt));
    }
  }

  void insist(String what, Preemption preemption, Runnable work) {
    insist(
        what,
        preemption,
        () -> {
          work.run();
          return null;
        });
  }
}
