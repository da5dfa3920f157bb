package io.sandglass.api;

import io.sandglass.api.store.CommandStore;
import io.sandglass.api.store.IdempotencyStore;
import io.sandglass.api.store.SandboxKeyStore;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes what nobody may ask for any more. */
final class Housekeeping {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);

  /** Clients are promised 24 hours; the second day is for those whose clock is wrong. */
  private static final Duration KEPT = Duration.ofDays(2);

  private static final Duration EVERY = Duration.ofMinutes(10);

  private Housekeeping() {}

  /**
   * @param complete whether the projection shows every sandbox; without it any key looks orphaned
   */
  static void start(
      ScheduledExecutorService timer,
      InstantSource clock,
      CommandStore commands,
      IdempotencyStore idempotency,
      SandboxKeyStore keys,
      BooleanSupplier complete) {
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(
            () -> {
              Instant before = clock.instant().minus(KEPT);
              try {
                LOG.debug(
                    "deleted commands={} answers={} keys={}",
                    commands.deleteBefore(before),
                    idempotency.deleteBefore(before),
                    complete.getAsBoolean() ? keys.deleteOrphansBefore(before) : 0);
              } catch (RuntimeException e) {
                LOG.warn("housekeeping failed, comes again: {}", e.toString());
              }
            },
            EVERY.toMillis(),
            EVERY.toMillis(),
            TimeUnit.MILLISECONDS);
  }
}
