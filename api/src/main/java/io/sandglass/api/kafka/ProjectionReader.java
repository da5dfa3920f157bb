package io.sandglass.api.kafka;

import io.dropwizard.lifecycle.Managed;
import io.sandglass.api.store.LogBatch;
import io.sandglass.api.store.LogEntry;
import io.sandglass.api.store.ProjectionStore;
import io.sandglass.api.wire.EventReader;
import io.sandglass.api.wire.OutcomeReader;
import io.sandglass.api.wire.UsageReader;
import io.sandglass.schemas.CommandOutcome;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads events, outcomes and usage into the projection. The instances share the partitions as one
 * consumer group; how far each was read is in the database alone.
 */
public final class ProjectionReader implements Managed {
  /** The log of everything that happened, as the projection knows it. */
  public static final String EVENTS = Topic.EVENTS.topicName();

  /** What is charged for, as the projection knows it. */
  public static final String USAGE = Topic.USAGE.topicName();

  private static final Logger LOG = LoggerFactory.getLogger(ProjectionReader.class);
  private static final List<Topic> TOPICS = List.of(Topic.EVENTS, Topic.OUTCOMES, Topic.USAGE);

  private static final String GROUP = "sandglass-projection";
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration POLL_AT_START = Duration.ofMillis(50);

  /** Told after a change is committed. */
  public interface Listener {
    void changed(Set<String> sandboxIds);
  }

  private final ProjectionStore store;
  private final Listener listener;
  private final LogReader reader;

  private volatile boolean caughtUp;
  private volatile boolean reading;

  /**
   * @param instanceId the group's name for this process, which lets a restart take up its share at
   *     once; empty for none
   */
  public ProjectionReader(
      KafkaSettings settings, String instanceId, ProjectionStore store, Listener listener) {
    this.store = store;
    this.listener = listener;
    Map<String, Object> config = settings.consumer();
    config.put(ConsumerConfig.GROUP_ID_CONFIG, GROUP);
    if (!instanceId.isEmpty()) {
      config.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, instanceId);
    }
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1_000);
    config.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
    this.reader = new LogReader("projection", config, new Projecting());
  }

  @Override
  public void start() {
    reader.start();
  }

  @Override
  public void stop() throws InterruptedException {
    reader.stop();
  }

  /** Whether everything that was in the log at the start has been read. */
  public boolean caughtUp() {
    return caughtUp;
  }

  /** Whether there is a consumer at work now. */
  public boolean reading() {
    return reading;
  }

  private final class Projecting implements LogReader.Reading, ConsumerRebalanceListener {
    private Consumer<String, Decoded> consumer;
    private Map<TopicPartition, Long> goals;

    @Override
    public void read(Consumer<String, Decoded> fresh) {
      consumer = fresh;
      goals = null;
      for (Topic topic : TOPICS) {
        if (fresh.partitionsFor(topic.topicName()).isEmpty()) {
          throw new IllegalStateException("Kafka has no topic " + topic.topicName());
        }
      }
      fresh.subscribe(TOPICS.stream().map(Topic::topicName).toList(), this);
      while (true) {
        ConsumerRecords<String, Decoded> records = fresh.poll(caughtUp ? POLL : POLL_AT_START);
        reading = true;
        Set<String> changed = store.apply(batches(records, fresh));
        if (!changed.isEmpty()) {
          listener.changed(changed);
        }
        if (!caughtUp && goals != null && reached(fresh)) {
          LOG.info("projection=caught_up partitions={}", goals.size());
          caughtUp = true;
        }
      }
    }

    @Override
    public void interrupted() {
      reading = false;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      for (TopicPartition partition : partitions) {
        OptionalLong next = store.nextOffset(partition.topic(), partition.partition());
        if (next.isPresent()) {
          consumer.seek(partition, next.getAsLong());
        } else {
          consumer.seekToBeginning(List.of(partition));
        }
      }
      goals = new HashMap<>(consumer.endOffsets(consumer.assignment()));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      // How far they were read is in the database already.
    }

    private boolean reached(Consumer<String, Decoded> current) {
      return goals.entrySet().stream()
          .filter(goal -> current.assignment().contains(goal.getKey()))
          .allMatch(goal -> current.position(goal.getKey()) >= goal.getValue());
    }
  }

  /** The records in the form the projection takes, with where each partition goes on. */
  static List<LogBatch> batches(
      ConsumerRecords<String, Decoded> records, Consumer<String, Decoded> consumer) {
    List<LogBatch> batches = new ArrayList<>();
    for (TopicPartition partition : records.partitions()) {
      List<LogBatch.Read> reads = new ArrayList<>();
      for (ConsumerRecord<String, Decoded> record : records.records(partition)) {
        entry(record).ifPresent(entry -> reads.add(new LogBatch.Read(record.offset(), entry)));
      }
      batches.add(
          new LogBatch(
              partition.topic(), partition.partition(), reads, consumer.position(partition)));
    }
    return batches;
  }

  private static Optional<LogEntry> entry(ConsumerRecord<String, Decoded> record) {
    return switch (record.value()) {
      case null -> Optional.empty();
      case Decoded.Known(CommandOutcome outcome) ->
          Optional.of(new LogEntry.Decided(OutcomeReader.read(outcome)));
      case Decoded.Known(UsageInterval interval) ->
          Optional.of(new LogEntry.Used(UsageReader.read(interval)));
      case Decoded.Known(UsageWatermark watermark) ->
          Optional.of(new LogEntry.Used(UsageReader.read(watermark)));
      case Decoded.Known(var known) -> EventReader.read(known).map(LogEntry.Happened::new);
      // Leaving it out would make every later state of that sandbox a guess: wait for an upgrade.
      case Decoded.Unknown(long fingerprint) ->
          throw new IllegalStateException(
              "%s-%d@%d was written by a newer release (schema %x)"
                  .formatted(record.topic(), record.partition(), record.offset(), fingerprint));
      case Decoded.Malformed(String reason) -> {
        LOG.error(
            "topic={} partition={} offset={} skipped: {}",
            record.topic(),
            record.partition(),
            record.offset(),
            reason);
        yield Optional.empty();
      }
    };
  }
}
