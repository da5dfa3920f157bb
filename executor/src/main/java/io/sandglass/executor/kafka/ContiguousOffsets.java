package io.sandglass.executor.kafka;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Which orders of a partition the log may forget: all before the first that is not done. Orders are
 * done in any order; the committed offset never passes one that is not.
 */
final class ContiguousOffsets {
  private final Deque<Long> open = new ArrayDeque<>();
  private final Set<Long> done = new HashSet<>();
  private OptionalLong next = OptionalLong.empty();
  private OptionalLong committed = OptionalLong.empty();

  /** An order was read; offsets come in ascending order. */
  synchronized void opened(long offset) {
    open.add(offset);
    if (next.isEmpty()) {
      next = OptionalLong.of(offset);
    }
  }

  synchronized void done(long offset) {
    done.add(offset);
    while (!open.isEmpty() && done.remove(open.peek())) {
      next = OptionalLong.of(open.remove() + 1);
    }
  }

  /** The offset to commit; empty when the last one that was taken is still right. */
  synchronized OptionalLong toCommit() {
    return next.equals(committed) ? OptionalLong.empty() : next;
  }

  synchronized void committed(long offset) {
    committed = OptionalLong.of(offset);
  }

  synchronized int inFlight() {
    return open.size();
  }
}
