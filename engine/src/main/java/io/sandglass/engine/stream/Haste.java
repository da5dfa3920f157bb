package io.sandglass.engine.stream;

import java.time.Duration;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ProcessorContext;

/**
 * Commits for those who wait: the first at once, those right behind it together. What nobody waits
 * for is committed with them, or when Streams does it by itself.
 */
final class Haste {
  private final ProcessorContext<?, ?> context;
  private final long intervalMillis;
  private long asked;
  private boolean waiting;

  /**
   * @param interval between two commits
   */
  Haste(ProcessorContext<?, ?> context, Duration interval) {
    this.context = context;
    this.intervalMillis = interval.toMillis();
    context.schedule(interval, PunctuationType.WALL_CLOCK_TIME, _ -> look());
  }

  /** Somebody waits for what was just done. */
  void isNeeded() {
    waiting = true;
    look();
  }

  private void look() {
    long now = context.currentSystemTimeMs();
    if (waiting && now - asked >= intervalMillis) {
      context.commit();
      waiting = false;
      asked = now;
    }
  }
}
