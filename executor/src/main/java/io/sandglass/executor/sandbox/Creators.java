package io.sandglass.executor.sandbox;

import io.sandglass.executor.sandbox.Preemption.PreemptedException;

/**
 * How many containers are made at once. A sandbox that somebody waits for goes before a spare, and
 * finds a place that no spare is made in.
 */
final class Creators {
  private static final long GLANCE_MILLIS = 100;

  private final int places;
  private int taken;
  private int waiting;

  Creators(int places) {
    this.places = places;
  }

  /** Waits for a place, for a sandbox. */
  synchronized void enter(Preemption preemption) {
    waiting++;
    try {
      while (taken >= places) {
        preemption.check();
        wait(GLANCE_MILLIS);
      }
      taken++;
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      waiting--;
    }
  }

  /** Waits for a place that no sandbox wants, for a spare. */
  synchronized void enterLast(Preemption preemption) {
    try {
      while (waiting > 0 || taken >= Math.max(1, places - 1)) {
        preemption.check();
        wait(GLANCE_MILLIS);
      }
      taken++;
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private static PreemptedException interrupted() {
    Thread.currentThread().interrupt();
    return new PreemptedException(Preemption.Cause.SHUTDOWN);
  }

  synchronized void leave() {
    taken--;
    notifyAll();
  }
}
