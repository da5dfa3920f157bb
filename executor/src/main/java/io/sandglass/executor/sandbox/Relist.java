package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares all that is known with all containers of this node: when it starts, when something hints
 * at a change, and every so often. It only finds who differs; the difference is settled in the
 * sandbox's lane, by a second and closer look.
 */
public final class Relist {
  private static final Logger LOG = LoggerFactory.getLogger(Relist.class);
  private static final Duration HINT_PAUSE = Duration.ofMillis(100);

  /**
   * @param every between looks without a hint
   * @param askAfterStart when everything is asked about once more after the start: by then the
   *     orders that were not acknowledged have been delivered again
   * @param askEvery between askings about everything
   */
  public record Rhythm(Duration every, Duration askAfterStart, Duration askEvery) {}

  private final Holdings holdings;
  private final Reconciliation reconciliation;
  private final Lanes lanes;
  private final WarmPool pool;
  private final Rhythm rhythm;
  private final InstantSource clock;
  private final Semaphore hints = new Semaphore(0);
  private final CompletableFuture<Void> first = new CompletableFuture<>();
  private volatile Optional<Instant> lastGood = Optional.empty();
  private volatile boolean askAll;
  private Optional<Thread> thread = Optional.empty();

  Relist(
      Holdings holdings,
      Reconciliation reconciliation,
      Lanes lanes,
      WarmPool pool,
      Rhythm rhythm,
      InstantSource clock) {
    this.holdings = holdings;
    this.reconciliation = reconciliation;
    this.lanes = lanes;
    this.pool = pool;
    this.rhythm = rhythm;
    this.clock = clock;
  }

  /** Something may have changed. */
  public void hint() {
    hints.release();
  }

  /** Has the log asked about every container, soon. */
  public void askAboutAll() {
    askAll = true;
    hint();
  }

  /** When everything was last seen; empty before the first time. */
  public Optional<Instant> lastGood() {
    return lastGood;
  }

  /** Completes when everything has been seen once. */
  public CompletableFuture<Void> first() {
    return first.copy();
  }

  public void start() {
    thread = Optional.of(Thread.ofVirtual().name("relist").start(this::loop));
  }

  public void stop() {
    thread.ifPresent(Thread::interrupt);
  }

  private void loop() {
    Instant nextAsk = clock.instant().plus(rhythm.askAfterStart());
    try {
      rememberDirectories();
      while (!Thread.currentThread().isInterrupted()) {
        boolean ask = askAll || !clock.instant().isBefore(nextAsk);
        askAll = false;
        if (look(ask) && ask) {
          nextAsk = clock.instant().plus(rhythm.askEvery());
        } else if (ask) {
          askAll = true;
        }
        if (hints.tryAcquire(rhythm.every().toMillis(), TimeUnit.MILLISECONDS)) {
          Thread.sleep(HINT_PAUSE); // hints come in flocks
          hints.drainPermits();
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("The relist ends");
    }
  }

  /** What the last process knew, newest life of each sandbox. */
  private void rememberDirectories() {
    for (Life life :
        holdings.directories.lives().stream()
            .sorted(Comparator.comparingInt(Life::incarnation))
            .toList()) {
      boolean verified =
          holdings
              .residents
              .get(life.sandboxId())
              .filter(resident -> resident.phase() != Resident.Phase.UNVERIFIED)
              .isPresent();
      if (!verified) {
        remember(life);
      }
    }
  }

  private void remember(Life life) {
    holdings.residents.put(
        new Resident(
            life,
            holdings.directories.org(life).orElse(""),
            Limits.NONE,
            Resident.Phase.UNVERIFIED));
  }

  /** One look at everything; false when the runtime did not answer. */
  boolean look(boolean ask) {
    WarmPool.Before before = pool.before();
    List<FoundContainer> all;
    try {
      all = holdings.runtime.list();
      holdings.egress.reassert(all);
    } catch (RuntimeException e) {
      LOG.warn("relist failed: {}", e.getMessage());
      return false;
    }
    Map<String, List<FoundContainer>> bySandbox =
        all.stream()
            .filter(container -> !container.life().isSpare())
            .collect(Collectors.groupingBy(c -> c.life().sandboxId()));
    // Read after the list: who is known here and missing there was known before the list began or
    // is being started, and then its lane is busy.
    Map<String, Resident> residents = new HashMap<>();
    holdings.residents.all().forEach(r -> residents.put(r.life().sandboxId(), r));
    Set<String> sandboxes =
        Stream.concat(bySandbox.keySet().stream(), residents.keySet().stream())
            .collect(Collectors.toSet());
    for (String sandbox : sandboxes) {
      Optional<RelistDiff.Known> known =
          Optional.ofNullable(residents.get(sandbox)).map(reconciliation::known);
      List<FoundContainer> containers = bySandbox.getOrDefault(sandbox, List.of());
      boolean unknown = known.isEmpty();
      if (ask && !unknown && !containers.isEmpty()) {
        lanes.reconcile(sandbox, true);
      } else if (!RelistDiff.diff(known, containers).isEmpty()) {
        lanes.reconcile(sandbox, false);
      }
    }
    lastGood = Optional.of(clock.instant());
    first.complete(null);
    lookAtSpares(before, all);
    return true;
  }

  private void lookAtSpares(WarmPool.Before before, List<FoundContainer> all) {
    try {
      pool.look(before, all);
    } catch (RuntimeException e) {
      LOG.warn("the pool is left as it is: {}", e.getMessage());
    }
  }
}
