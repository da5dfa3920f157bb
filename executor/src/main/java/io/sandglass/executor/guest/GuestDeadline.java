package io.sandglass.executor.guest;

import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Cuts a connection when its guest has had its time. What the sink needs is not the guest's fault
 * and is added: a slow reader gets the rest of the output, and a guest that floods still comes to
 * its end.
 */
final class GuestDeadline {

  private final GuestEndpoint endpoint;
  private final SocketChannel channel;
  private final long begun = System.nanoTime();
  private long allowedNanos;
  private Future<?> next;
  private long sinkEntered;
  private boolean inSink;
  private boolean passed;
  private boolean cancelled;

  GuestDeadline(GuestEndpoint endpoint, SocketChannel channel, Duration allowed) {
    this.endpoint = endpoint;
    this.channel = channel;
    this.allowedNanos = allowed.toNanos();
    watch();
  }

  synchronized void enterSink() {
    sinkEntered = System.nanoTime();
    inSink = true;
  }

  synchronized void leaveSink() {
    allowedNanos += System.nanoTime() - sinkEntered;
    inSink = false;
    if (next == null) {
      watch();
    }
  }

  synchronized void cancel() {
    cancelled = true;
    if (next != null) {
      next.cancel(false);
    }
  }

  synchronized boolean passed() {
    return passed;
  }

  private synchronized void watch() {
    next = null;
    if (cancelled || inSink) {
      return;
    }
    long left = begun + allowedNanos - System.nanoTime();
    if (left <= 0) {
      passed = true;
      endpoint.discard(channel);
    } else {
      next = ForkJoinPool.commonPool().schedule(this::watch, left, TimeUnit.NANOSECONDS);
    }
  }
}
