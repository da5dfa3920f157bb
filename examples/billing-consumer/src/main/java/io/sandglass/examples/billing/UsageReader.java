package io.sandglass.examples.billing;

import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import io.sandglass.schemas.WireFormat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.IntFunction;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Reads the usage topic from where it is told. Keeps no offsets in Kafka: its caller keeps them.
 */
final class UsageReader implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(500);

  /**
   * What was read of one partition.
   *
   * @param from where it begins, the end of the stretch before
   * @param to where the next one begins
   */
  record Stretch(
      int partition,
      long from,
      long to,
      List<UsageInterval> intervals,
      List<UsageWatermark> watermarks) {}

  private final KafkaConsumer<String, Decoded> consumer;
  private final Map<TopicPartition, Long> positions = new HashMap<>();

  /**
   * Begins.
   *
   * @param nextOffset where to go on in a partition, by its number; empty for its beginning
   */
  UsageReader(String kafka, IntFunction<OptionalLong> nextOffset) {
    consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                kafka,
                // What was aborted was never said.
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed",
                // An offset that the topic no longer has is a gap in the books, not a place to skip
                // from.
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "none",
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                200),
            new StringDeserializer(),
            WireFormat.deserializer());
    List<TopicPartition> partitions =
        consumer.partitionsFor(Topic.USAGE.topicName()).stream()
            .map(info -> new TopicPartition(info.topic(), info.partition()))
            .toList();
    consumer.assign(partitions);
    for (TopicPartition partition : partitions) {
      nextOffset
          .apply(partition.partition())
          .ifPresentOrElse(
              offset -> consumer.seek(partition, offset),
              () -> consumer.seekToBeginning(Set.of(partition)));
      positions.put(partition, consumer.position(partition));
    }
  }

  /** What came next, after a while perhaps nothing. */
  List<Stretch> poll() {
    ConsumerRecords<String, Decoded> records = consumer.poll(POLL);
    List<Stretch> stretches = new ArrayList<>();
    for (TopicPartition partition : records.partitions()) {
      List<UsageInterval> intervals = new ArrayList<>();
      List<UsageWatermark> watermarks = new ArrayList<>();
      for (ConsumerRecord<String, Decoded> record : records.records(partition)) {
        if (record.value() instanceof Decoded.Known known
            && known.record() instanceof UsageInterval interval) {
          intervals.add(interval);
        } else if (record.value() instanceof Decoded.Known known
            && known.record() instanceof UsageWatermark watermark) {
          watermarks.add(watermark);
        } else {
          // Money is not guessed at: with a newer jar of the schemas it goes on from here.
          throw new IllegalStateException(
              "Not understood: " + partition + "@" + record.offset() + ": " + record.value());
        }
      }
      long to = consumer.position(partition);
      long from = positions.put(partition, to);
      stretches.add(new Stretch(partition.partition(), from, to, intervals, watermarks));
    }
    return stretches;
  }

  @Override
  public void close() {
    consumer.close();
  }
}
