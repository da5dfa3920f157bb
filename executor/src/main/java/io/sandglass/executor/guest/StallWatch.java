package io.sandglass.executor.guest;

import java.time.Duration;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Notices that one step of many takes too long. There is one timer for all of them, which looks
 * when the step under way could first have taken too long: a step costs two writes of a field.
 */
final class StallWatch implements AutoCloseable {
  private static final long RESTING = Long.MAX_VALUE;

  private final long mostNanos;
  private final Runnable stalled;

  /** When the step under way was begun, by {@link #now}. */
  private volatile long since = RESTING;

  private final long origin = System.nanoTime();
  private Future<?> next;
  private boolean closed;

  /**
   * @param most that a step may take
   * @param stalled run once, when one has taken longer
   */
  StallWatch(Duration most, Runnable stalled) {
    this.mostNanos = most.toNanos();
    this.stalled = stalled;
    look();
  }

  /** A step begins. */
  void enter() {
    since = now();
  }

  /** It has ended. */
  void leave() {
    since = RESTING;
  }

  private long now() {
    return System.nanoTime() - origin;
  }

  private synchronized void look() {
    if (closed) {
      return;
    }
    long begun = since;
    long left = begun == RESTING ? mostNanos : begun + mostNanos - now();
    if (left <= 0) {
      closed = true;
      stalled.run();
    } else {
      next = ForkJoinPool.commonPool().schedule(this::look, left, TimeUnit.NANOSECONDS);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (next != null) {
      next.cancel(false);
    }
  }
}
