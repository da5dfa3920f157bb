package io.sandglass.engine.stream;

import java.time.Duration;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.streams.KafkaStreams;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Streams application that was started, and the admin client that it asks the broker with. */
public final class Running implements AutoCloseable {
  static final Duration PATIENCE_TO_CLOSE = Duration.ofSeconds(10);

  private static final Logger LOG = LoggerFactory.getLogger(Running.class);

  private final Admin admin;
  private final KafkaStreams streams;

  Running(Admin admin, KafkaStreams streams) {
    this.admin = admin;
    this.streams = streams;
  }

  /** Whether it processes records: not while it starts, nor while its partitions move. */
  public boolean isRunning() {
    return streams.state() == KafkaStreams.State.RUNNING;
  }

  /** What it is doing, in a word. */
  public String state() {
    return streams.state().name();
  }

  @Override
  public void close() {
    if (!streams.close(PATIENCE_TO_CLOSE)) {
      LOG.warn("streams did not close within {}", PATIENCE_TO_CLOSE);
    }
    admin.close(PATIENCE_TO_CLOSE);
  }
}
