package io.sandglass.engine.stream;

import io.sandglass.engine.audit.SigningKey;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts the engine. */
public final class Engine {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  /**
   * Where and how it runs.
   *
   * @param kafka what every client of Kafka is told: where it is, and how it is reached
   * @param applicationId name of its consumer group, and prefix of its changelog topics
   * @param instanceId the group's name for this process: a restart under the same one within the
   *     session's timeout takes up its work at once; empty for none, then a process that was killed
   *     is waited for until that timeout
   * @param partitions of the topics keyed by sandbox, where they don't exist yet
   * @param slots partitions of the orders topic, where it doesn't exist yet
   * @param commitInterval how long what nobody waits for may wait for more to be committed with
   */
  public record Deployment(
      Map<String, String> kafka,
      String applicationId,
      String instanceId,
      Path stateDir,
      int partitions,
      int slots,
      short replication,
      int threads,
      int standbys,
      Duration commitInterval) {}

  private Engine() {}

  /**
   * Ensures the topics and starts.
   *
   * @param key signs checkpoints
   * @param settings its slots are bounded by the partitions that the orders topic really has
   */
  public static Running start(
      Deployment deployment, Settings settings, SigningKey key, EngineMetrics metrics)
      throws InterruptedException {
    Admin admin = admin(deployment);
    try {
      Topics.ensure(admin, deployment.partitions(), deployment.slots(), deployment.replication());
      checkPartitions(admin);
      Settings bounded = settings.withSlots(partitions(admin, Topic.ORDERS));
      Ports ports =
          new Ports(
              new KafkaBacklog(admin, deployment.applicationId()), metrics, key, System::nanoTime);
      KafkaStreams streams =
          new KafkaStreams(
              SandboxTopology.build(bounded, ports, Outgoing.partitioner()),
              new StreamsConfig(properties(deployment, settings.tick())),
              new Clients(config -> new AlertConsumer(config, settings.commitInterval())));
      streams.setUncaughtExceptionHandler(
          e -> {
            LOG.error("stream thread died, another one takes over", e);
            return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.REPLACE_THREAD;
          });
      streams.setStateListener((now, before) -> LOG.info("streams {} -> {}", before, now));
      streams.start();
      return new Running(admin, streams);
    } catch (RuntimeException | InterruptedException e) {
      admin.close(Running.PATIENCE_TO_CLOSE);
      throw e;
    }
  }

  static Admin admin(Deployment deployment) {
    Map<String, Object> config = new HashMap<>();
    config.put(AdminClientConfig.CLIENT_ID_CONFIG, deployment.applicationId() + "-admin");
    config.putAll(deployment.kafka());
    return Admin.create(config);
  }

  /** A task writes to the partitions of its own number. */
  private static void checkPartitions(Admin admin) throws InterruptedException {
    int commands = partitions(admin, Topic.COMMANDS);
    for (Topic topic : List.of(Topic.EVENTS, Topic.CHECKPOINTS)) {
      int others = partitions(admin, topic);
      if (others != commands) {
        throw new IllegalStateException(
            "%s has %d partitions and %s has %d: they must have the same number"
                .formatted(Topic.COMMANDS.topicName(), commands, topic.topicName(), others));
      }
    }
  }

  static int partitions(Admin admin, Topic topic) throws InterruptedException {
    try {
      return admin
          .describeTopics(List.of(topic.topicName()))
          .topicNameValues()
          .get(topic.topicName())
          .get()
          .partitions()
          .size();
    } catch (ExecutionException e) {
      throw new IllegalStateException("Kafka did not describe " + topic.topicName(), e.getCause());
    }
  }

  static Properties properties(Deployment deployment, Duration tick) {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, deployment.applicationId());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, deployment.stateDir().toString());
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, deployment.threads());
    properties.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, deployment.standbys());
    properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, (int) deployment.replication());
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, deployment.commitInterval().toMillis());
    // Streams warns until it is on; its constant is deprecated from the start.
    properties.put("processing.exception.handler.global.enabled", true);
    // The longest a quiet thread sleeps: timers tick between two polls.
    properties.put(StreamsConfig.POLL_MS_CONFIG, tick.toMillis());
    properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
    // Every change goes to its changelog at once; a cache would only delay it.
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
    // After an unclean end others wait for the open transaction: keep that short.
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 5_000);
    properties.put(
        StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 8_000);
    properties.put(
        StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 2_000);
    if (!deployment.instanceId().isEmpty()) {
      properties.put(
          StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG),
          deployment.instanceId());
    }
    // A new engine must see what was asked before it first ran.
    properties.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    properties.put(
        StreamsConfig.topicPrefix(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG), minInSync(deployment));
    properties.putAll(deployment.kafka());
    return properties;
  }

  private static String minInSync(Deployment deployment) {
    return deployment.replication() > 2 ? "2" : "1";
  }
}
