package io.sandglass.engine.stream;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds time back after a start or a reassignment until the commands that were already waiting have
 * been processed: a keep-alive that was accepted while no engine ran must win over the expiry that
 * came due meanwhile.
 *
 * <p>How far that is, is asked of the broker once, at the beginning; what arrives later competes
 * with time as it always does. Should the answer never come or never be reached (an end that is not
 * a record but a transaction's marker), silence ends the wait.
 */
final class CatchUp {
  /** No command for this long is taken for having read them all. */
  static final Duration SILENCE = Duration.ofSeconds(30);

  private static final Duration ASK_AGAIN_AFTER = Duration.ofSeconds(1);
  private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);

  private final Backlog backlog;
  private final TopicPartition partition;
  private CompletableFuture<OptionalLong> lastWaiting;
  private Instant askedAt;
  private Instant heardAt;
  private long processed = -1;
  private boolean over;

  CatchUp(Backlog backlog, TopicPartition partition, Instant now) {
    this.backlog = backlog;
    this.partition = partition;
    this.heardAt = now;
    ask(now);
  }

  /** A record was processed. */
  void processed(long offset, Instant now) {
    processed = offset;
    heardAt = now;
  }

  /** Whether time may pass. Once it may, it always may. */
  boolean isOver(Instant now) {
    if (!over) {
      over = hasProcessedAll(now) || isSilent(now);
      if (over) {
        LOG.info("caught up partition={} offset={}", partition, processed);
      }
    }
    return over;
  }

  private boolean hasProcessedAll(Instant now) {
    if (!lastWaiting.isDone()) {
      return false;
    }
    if (lastWaiting.isCompletedExceptionally()) {
      if (!now.isBefore(askedAt.plus(ASK_AGAIN_AFTER))) {
        LOG.warn("asking again what is waiting partition={}", partition);
        ask(now);
      }
      return false;
    }
    OptionalLong last = lastWaiting.join();
    return last.isEmpty() || processed >= last.getAsLong();
  }

  private boolean isSilent(Instant now) {
    boolean silent = !now.isBefore(heardAt.plus(SILENCE));
    if (silent) {
      LOG.warn("not sure to have caught up, but nothing comes partition={}", partition);
    }
    return silent;
  }

  private void ask(Instant now) {
    askedAt = now;
    lastWaiting = backlog.lastWaiting(partition).toCompletableFuture();
  }
}
