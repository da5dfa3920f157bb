package io.sandglass.api.kafka;

import io.dropwizard.lifecycle.Managed;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.WireFormat;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread with a consumer. When the reading fails, it begins anew with a fresh consumer after a
 * pause, for as long as it is not stopped.
 */
final class LogReader implements Managed {
  private static final Logger LOG = LoggerFactory.getLogger(LogReader.class);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  /** What is done with a fresh consumer; returns only by an exception. */
  interface Reading {
    void read(Consumer<String, Decoded> consumer) throws Exception;

    /** The consumer is gone: nothing is read until {@code read} is called again. */
    void interrupted();
  }

  private final String name;
  private final Map<String, Object> config;
  private final Reading reading;
  private final CountDownLatch stopped = new CountDownLatch(1);

  private volatile Consumer<String, Decoded> consumer;
  private Thread thread;

  LogReader(String name, Map<String, Object> config, Reading reading) {
    this.name = name;
    this.config = config;
    this.reading = reading;
  }

  @Override
  public void start() {
    thread = Thread.ofPlatform().name(name).daemon().start(this::run);
  }

  @Override
  public void stop() throws InterruptedException {
    stopped.countDown();
    Consumer<String, Decoded> current = consumer;
    if (current != null) {
      current.wakeup();
    }
    thread.join(TimeUnit.SECONDS.toMillis(10));
  }

  private boolean isStopped() {
    return stopped.getCount() == 0;
  }

  private void run() {
    int attempt = 0;
    while (!isStopped()) {
      try (Consumer<String, Decoded> fresh =
          new KafkaConsumer<>(config, new StringDeserializer(), WireFormat.deserializer())) {
        consumer = fresh;
        // A stop that came before the assignment had nobody to wake.
        if (!isStopped()) {
          reading.read(fresh);
        }
      } catch (WakeupException e) {
        if (!isStopped()) {
          LOG.warn("reader={} woken without a stop", name);
        }
      } catch (Exception e) {
        attempt++;
        LOG.warn("reader={} attempt={} failed: {}", name, attempt, e.toString());
        LOG.debug("reader={}", name, e);
      } finally {
        consumer = null;
        reading.interrupted();
      }
      try {
        if (stopped.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
          return;
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }
}
