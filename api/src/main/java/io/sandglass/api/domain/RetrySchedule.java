package io.sandglass.api.domain;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * When something that failed is tried again: after a pause that grows with every attempt and is a
 * little random, so that what failed together does not come back together.
 *
 * @param first the pause after the first attempt
 * @param longest the longest pause
 * @param span from the first attempt to the last
 */
public record RetrySchedule(Duration first, Duration longest, Duration span) {
  private static final int GROWTH = 4;
  private static final double SPREAD = 0.2;

  /** What somebody asked to be left alone until, as far as that is respected. */
  public Instant bounded(Instant now, Instant asked) {
    Instant latest = now.plus(longest);
    return asked.isBefore(latest) ? asked : latest;
  }

  /**
   * The next attempt; empty after the last one, which is made when the span ends.
   *
   * @param begun when the first attempt was made
   * @param attempts made so far
   * @param now when the last of them was made
   * @param chance from 0 to 1
   */
  public Optional<Instant> next(Instant begun, int attempts, Instant now, double chance) {
    Instant end = begun.plus(span);
    if (!now.isBefore(end)) {
      return Optional.empty();
    }
    double pause =
        Math.min(first.toMillis() * Math.pow(GROWTH, attempts - 1.0), (double) longest.toMillis())
            * (1 - SPREAD + 2 * SPREAD * chance);
    Instant next = now.plusMillis(Math.max(1, (long) pause));
    return Optional.of(next.isBefore(end) ? next : end);
  }
}
