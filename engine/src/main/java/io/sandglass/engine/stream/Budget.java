package io.sandglass.engine.stream;

import java.time.Duration;
import java.util.function.LongSupplier;

/** How long one run of a timer may hold up the commands that wait behind it. */
final class Budget {
  private final LongSupplier nanoTime;
  private final long deadline;

  private Budget(LongSupplier nanoTime, long deadline) {
    this.nanoTime = nanoTime;
    this.deadline = deadline;
  }

  static Budget of(Duration length, LongSupplier nanoTime) {
    return new Budget(nanoTime, nanoTime.getAsLong() + length.toNanos());
  }

  boolean isSpent() {
    return nanoTime.getAsLong() - deadline >= 0;
  }
}
