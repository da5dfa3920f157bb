package io.sandglass.api.control;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.OptionalLong;

/** Which refusals are noted: so many of a kind in an hour, on this instance. */
final class RefusalBound {
  private static final int MOST_KINDS = 100_000;

  /**
   * What is counted together.
   *
   * @param actor who asked
   * @param orgId in whose history it goes
   * @param code why it was refused
   */
  record Kind(String actor, String orgId, String code) {}

  private static final class Count {
    private Instant hour = Instant.MIN;
    private int noted;
    private long suppressed;
  }

  private final int mostAnHour;
  private final Cache<Kind, Count> counts =
      Caffeine.newBuilder().maximumSize(MOST_KINDS).executor(Runnable::run).build();

  RefusalBound(int mostAnHour) {
    this.mostAnHour = mostAnHour;
  }

  /** How many were suppressed before, when this one is to be noted; empty when it is not. */
  OptionalLong admit(Kind kind, Instant now) {
    Instant current = now.truncatedTo(ChronoUnit.HOURS);
    Count count = counts.get(kind, _ -> new Count());
    synchronized (count) {
      if (!current.equals(count.hour)) {
        count.hour = current;
        count.noted = 0;
      }
      if (count.noted >= mostAnHour) {
        count.suppressed++;
        return OptionalLong.empty();
      }
      count.noted++;
      long before = count.suppressed;
      count.suppressed = 0;
      return OptionalLong.of(before);
    }
  }

  /** One that was to be noted could not be. */
  void failed(Kind kind, long suppressedBefore) {
    Count count = counts.get(kind, _ -> new Count());
    synchronized (count) {
      count.suppressed += suppressedBefore + 1;
    }
  }
}
