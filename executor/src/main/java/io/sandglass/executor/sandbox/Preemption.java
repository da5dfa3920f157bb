package io.sandglass.executor.sandbox;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Tells the work on an order to end early. The work looks between its steps and whenever it waits,
 * so no step is torn.
 */
final class Preemption {
  enum Cause {
    /** A newer order makes this one pointless. */
    SUPERSEDED,
    /** The executor ends; the order will be delivered again. */
    SHUTDOWN
  }

  /** Ends the work on an order. */
  static final class PreemptedException extends RuntimeException {
    private final Cause reason;

    PreemptedException(Cause reason) {
      super("preempted: " + reason, null, false, false);
      this.reason = reason;
    }

    Cause reason() {
      return reason;
    }
  }

  private final AtomicReference<Cause> cause = new AtomicReference<>();
  private final CountDownLatch fired = new CountDownLatch(1);

  void fire(Cause why) {
    // A shutdown is the stronger word: what is superseded by an order that is not carried out any
    // more must be delivered again with it.
    cause.accumulateAndGet(why, (old, next) -> old == Cause.SHUTDOWN ? old : next);
    fired.countDown();
  }

  void check() {
    if (fired.getCount() == 0) {
      throw new PreemptedException(cause.get());
    }
  }

  /** Waits, or ends the work. */
  void pause(Duration time) {
    try {
      if (fired.await(time.toNanos(), TimeUnit.NANOSECONDS)) {
        check();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PreemptedException(Cause.SHUTDOWN);
    }
  }

  boolean isShutdown() {
    return cause.get() == Cause.SHUTDOWN;
  }
}
