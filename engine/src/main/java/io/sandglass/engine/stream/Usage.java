package io.sandglass.engine.stream;

import io.sandglass.engine.wire.NewerReleaseException;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.Topics;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the usage application: a Streams application of its own, which can be reset and computed
 * anew without touching the engine.
 */
public final class Usage {
  private static final Logger LOG = LoggerFactory.getLogger(Usage.class);
  private static final Duration POLL = Duration.ofMillis(100);

  private Usage() {}

  /**
   * Ensures the topics and starts.
   *
   * @param settle see {@link UsageProcessor.Settings}
   */
  public static Running start(Engine.Deployment deployment, Duration settle, EngineMetrics metrics)
      throws InterruptedException {
    Admin admin = Engine.admin(deployment);
    try {
      Topics.ensure(admin, deployment.partitions(), deployment.slots(), deployment.replication());
      KafkaFrontier frontier = new KafkaFrontier(admin);
      Properties properties = Engine.properties(deployment, POLL);
      KafkaStreams streams =
          new KafkaStreams(
              UsageTopology.build(
                  new UsageProcessor.Settings(settle, Engine.partitions(admin, Topic.EVENTS)),
                  frontier,
                  metrics),
              new StreamsConfig(properties),
              new Clients(config -> frontier.new NotingConsumer(config)));
      streams.setUncaughtExceptionHandler(Usage::afterFailure);
      streams.setStateListener((now, before) -> LOG.info("usage {} -> {}", before, now));
      streams.start();
      return new Running(admin, streams);
    } catch (RuntimeException | InterruptedException e) {
      admin.close(Running.PATIENCE_TO_CLOSE);
      throw e;
    }
  }

  /** What a newer release wrote has to wait for that release: trying again changes nothing. */
  private static StreamThreadExceptionResponse afterFailure(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof NewerReleaseException) {
        LOG.error("usage stops until this release is upgraded", failure);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
      }
    }
    LOG.error("usage thread died, another one takes over", failure);
    return StreamThreadExceptionResponse.REPLACE_THREAD;
  }
}
