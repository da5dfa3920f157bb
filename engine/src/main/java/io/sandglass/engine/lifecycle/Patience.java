package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.temporal.ChronoUnit;

/**
 * How long the engine waits for a node before it does something about it. Part of the first fact of
 * every sandbox, so that a change of configuration changes no history.
 *
 * @param start until a sandbox that has not started is given up
 * @param stopRetry until a stop is asked for again; doubles with every attempt, up to 64-fold
 * @param suspendRetry the same for a suspend
 * @param resumeRetry the same for a resume
 * @param freezeFor how long a suspended sandbox keeps its memory
 * @param maxTimeout the furthest an expiry may lie ahead of now
 * @param maxPlacements how many nodes may be asked to start it
 */
public record Patience(
    Duration start,
    Duration stopRetry,
    Duration suspendRetry,
    Duration resumeRetry,
    Duration freezeFor,
    Duration maxTimeout,
    int maxPlacements) {
  public Patience {
    start = waiting(start);
    stopRetry = waiting(stopRetry);
    suspendRetry = waiting(suspendRetry);
    resumeRetry = waiting(resumeRetry);
    freezeFor = freezeFor.truncatedTo(ChronoUnit.MILLIS);
    maxTimeout = waiting(maxTimeout);
  }

  /**
   * Whole milliseconds, as the log keeps them, and at least one: no wait would be to ask forever at
   * one instant.
   */
  private static Duration waiting(Duration patience) {
    if (patience.compareTo(Duration.ofMillis(1)) < 0) {
      throw new IllegalArgumentException("Expected at least 1 ms of patience, but got " + patience);
    }
    return patience.truncatedTo(ChronoUnit.MILLIS);
  }
}
