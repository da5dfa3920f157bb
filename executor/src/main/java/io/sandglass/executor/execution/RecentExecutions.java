package io.sandglass.executor.execution;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Remembers which executions have begun, so that none begins twice. */
public final class RecentExecutions {
  private final Duration memory;
  private final InstantSource clock;
  private final Map<String, Instant> begun = new LinkedHashMap<>();

  public RecentExecutions(Duration memory, InstantSource clock) {
    this.memory = memory;
    this.clock = clock;
  }

  /** False when it has begun before. */
  public synchronized boolean begin(String executionId) {
    Instant now = clock.instant();
    Instant horizon = now.minus(memory);
    Iterator<Instant> oldest = begun.values().iterator();
    while (oldest.hasNext() && oldest.next().isBefore(horizon)) {
      oldest.remove();
    }
    return begun.putIfAbsent(executionId, now) == null;
  }

  /** It has not begun after all. */
  public synchronized void forget(String executionId) {
    begun.remove(executionId);
  }
}
