package io.sandglass.api;

import io.sandglass.api.store.CommandStore;
import io.sandglass.api.store.DeliveryStore;
import io.sandglass.api.store.IdempotencyStore;
import io.sandglass.api.store.QuotaStore;
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

  /** As the documents say of a webhook's deliveries. */
  private static final Duration DELIVERIES_KEPT = Duration.ofDays(30);

  /** How long a sandbox may take to be seen; one that comes later takes its share anew. */
  private static final Duration ON_ITS_WAY = Duration.ofMinutes(10);

  private static final Duration EVERY = Duration.ofMinutes(10);

  private Housekeeping() {}

  /**
   * @param complete whether the projection shows every sandbox; without it anything looks orphaned
   */
  static void start(
      ScheduledExecutorService timer,
      InstantSource clock,
      CommandStore commands,
      IdempotencyStore idempotency,
      SandboxKeyStore keys,
      DeliveryStore deliveries,
      QuotaStore quotas,
      BooleanSupplier complete) {
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(
            () -> {
              Instant now = clock.instant();
              Instant before = now.minus(KEPT);
              try {
                boolean sure = complete.getAsBoolean();
                LOG.debug(
                    "deleted commands={} answers={} keys={} deliveries={} reservations={}",
                    commands.deleteBefore(before),
                    idempotency.deleteBefore(before),
                    sure ? keys.deleteOrphansBefore(before) : 0,
                    deliveries.deleteBefore(now.minus(DELIVERIES_KEPT)),
                    sure ? quotas.deleteOrphansBefore(now.minus(ON_ITS_WAY)) : 0);
              } catch (RuntimeException e) {
                LOG.warn("housekeeping failed, comes again: {}", e.toString());
              }
            },
            EVERY.toMillis(),
            EVERY.toMillis(),
            TimeUnit.MILLISECONDS);
  }
}
