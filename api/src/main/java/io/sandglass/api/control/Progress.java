package io.sandglass.api.control;

import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.store.SandboxStore;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Waits for the projection. This process's own projection wakes the waiter at once; that of another
 * instance, which may hold the sandbox's partition, is found by asking the database now and then.
 */
public final class Progress {
  private static final Duration FIRST_ASK = Duration.ofMillis(10);
  private static final Duration LAST_ASK = Duration.ofMillis(250);

  private final SandboxStore sandboxes;
  private final ConcurrentMap<String, Set<Semaphore>> waiters = new ConcurrentHashMap<>();

  public Progress(SandboxStore sandboxes) {
    this.sandboxes = sandboxes;
  }

  /** To be called after a change is visible to everyone. */
  public void changed(Set<String> sandboxIds) {
    for (String id : sandboxIds) {
      Set<Semaphore> waiting = waiters.get(id);
      if (waiting != null) {
        waiting.forEach(Semaphore::release);
      }
    }
  }

  /**
   * The sandbox as soon as it is so, else as it is after that time; empty when there is none even
   * then.
   */
  Optional<Sandbox> await(String sandboxId, Predicate<Sandbox> so, Duration atMost) {
    return await(sandboxId, () -> sandboxes.find(sandboxId), so, atMost);
  }

  /** The same for what else the sandbox's events are folded into. */
  <T> Optional<T> await(
      String sandboxId, Supplier<Optional<T>> look, Predicate<T> so, Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    Semaphore signal = new Semaphore(0);
    // Listen first, look then: a change in between is not missed.
    waiters.compute(
        sandboxId,
        (id, others) -> {
          Set<Semaphore> all = others == null ? ConcurrentHashMap.newKeySet() : others;
          all.add(signal);
          return all;
        });
    try {
      Duration pause = FIRST_ASK;
      while (true) {
        Optional<T> current = look.get();
        long left = deadline - System.nanoTime();
        if (current.filter(so).isPresent() || left <= 0) {
          return current;
        }
        if (signal.tryAcquire(Math.min(left, pause.toNanos()), TimeUnit.NANOSECONDS)) {
          signal.drainPermits();
        }
        Duration longer = pause.multipliedBy(2);
        pause = longer.compareTo(LAST_ASK) < 0 ? longer : LAST_ASK;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return look.get();
    } finally {
      waiters.computeIfPresent(
          sandboxId,
          (id, all) -> {
            all.remove(signal);
            return all.isEmpty() ? null : all;
          });
    }
  }
}
