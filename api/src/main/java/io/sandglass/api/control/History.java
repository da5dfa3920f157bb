package io.sandglass.api.control;

import io.sandglass.api.domain.HistoryCursor;
import io.sandglass.api.store.EventStore;
import io.sandglass.api.store.EventStore.Page;
import io.sandglass.api.store.EventStore.Query;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/** The history of an organization: by pages, and as it goes on. */
public final class History {
  /** What other instances project is found by asking. */
  private static final Duration ASK = Duration.ofMillis(500);

  private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(10);
  private static final Duration KEY_CHECK = Duration.ofSeconds(2);
  private static final int AT_ONCE = 200;
  private static final int STREAMS_OF_ORG = 50;

  /** Who follows a history. */
  public interface Follower {
    /** What came, at least one event, or none as a sign of life. Returns when it is sent. */
    void next(Page page) throws IOException;
  }

  private final EventStore events;
  private final Map<String, Integer> streams = new ConcurrentHashMap<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changes = lock.newCondition();
  private long changed;
  private volatile boolean closed;

  public History(EventStore events) {
    this.events = events;
  }

  public Page page(Query query, HistoryCursor after, int limit) {
    return events.page(query, after, limit);
  }

  /** Where a history goes on that is followed from now. */
  public HistoryCursor now() {
    return events.end();
  }

  /** To be called after a change is visible to everyone. */
  public void changed() {
    lock.lock();
    try {
      changed++;
      changes.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Ends all streams. Those who follow come again, and get what they have not read. */
  public void close() {
    closed = true;
    changed();
  }

  /** A place among an organization's streams, to be given back; empty when all are taken. */
  public Optional<Runnable> enter(String orgId) {
    int before = streams.merge(orgId, 1, Integer::sum);
    Runnable leave =
        () -> streams.computeIfPresent(orgId, (_, count) -> count == 1 ? null : count - 1);
    if (before > STREAMS_OF_ORG) {
      leave.run();
      return Optional.empty();
    }
    return Optional.of(leave);
  }

  /**
   * Follows until the follower is gone, may not any more, or this process ends.
   *
   * @param allowed asked again and again
   */
  public void follow(Query query, HistoryCursor after, BooleanSupplier allowed, Follower follower)
      throws IOException, InterruptedException {
    HistoryCursor cursor = after;
    long told = System.nanoTime();
    long asked = told;
    while (!closed) {
      long seen = changes();
      Page page = events.page(query, cursor, AT_ONCE);
      long now = System.nanoTime();
      if (now - asked > KEY_CHECK.toNanos()) {
        if (!allowed.getAsBoolean()) {
          return;
        }
        asked = now;
      }
      cursor = page.end();
      if (!page.events().isEmpty() || now - told > SIGN_OF_LIFE.toNanos()) {
        follower.next(page);
        told = now;
      }
      if (!page.more()) {
        await(seen);
      }
    }
  }

  private long changes() {
    lock.lock();
    try {
      return changed;
    } finally {
      lock.unlock();
    }
  }

  /** Until something has changed since, at the longest until it is time to ask. */
  private void await(long seen) throws InterruptedException {
    lock.lock();
    try {
      long left = ASK.toNanos();
      while (changed == seen && left > 0) {
        left = changes.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }
}
