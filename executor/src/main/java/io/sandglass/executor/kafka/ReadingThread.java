package io.sandglass.executor.kafka;

import io.sandglass.schemas.Decoded;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that reads until it is stopped, and begins anew with another consumer after a failure.
 */
final class ReadingThread {
  private static final Logger LOG = LoggerFactory.getLogger(ReadingThread.class);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  /** What is done with one consumer. */
  interface Reading {
    /** One poll, and what follows from it. */
    void step();

    /** Called when it is stopped, after the last step: the consumer still works. */
    void end();
  }

  private final String what;
  private final Supplier<Consumer<String, Decoded>> consumers;
  private final Function<Consumer<String, Decoded>, Reading> begin;
  private volatile boolean stopped;
  private volatile Optional<Consumer<String, Decoded>> current = Optional.empty();
  private Optional<Thread> thread = Optional.empty();

  /**
   * @param what it reads, for logs
   * @param consumers makes a consumer, and another one when the first has failed
   */
  ReadingThread(
      String what,
      Supplier<Consumer<String, Decoded>> consumers,
      Function<Consumer<String, Decoded>, Reading> begin) {
    this.what = what;
    this.consumers = consumers;
    this.begin = begin;
  }

  void start() {
    thread = Optional.of(Thread.ofPlatform().name(what).start(this::run));
  }

  void stop() throws InterruptedException {
    stopped = true;
    current.ifPresent(Consumer::wakeup);
    if (thread.isPresent()) {
      thread.get().join();
    }
  }

  private void run() {
    while (!stopped) {
      try (Consumer<String, Decoded> consumer = consumers.get()) {
        current = Optional.of(consumer);
        read(begin.apply(consumer));
      } catch (WakeupException | InterruptException e) {
        LOG.debug("The reader of {} is asked to end", what);
      } catch (KafkaException | IllegalStateException e) {
        LOG.warn("Reading {} failed, and begins anew: {}", what, e.toString());
        pause();
      } finally {
        current = Optional.empty();
      }
    }
  }

  private void read(Reading reading) {
    try {
      while (!stopped) {
        reading.step();
      }
    } catch (WakeupException e) {
      // A stop, that mostly finds it in the middle of a poll.
      if (!stopped) {
        throw e;
      }
    }
    reading.end();
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
