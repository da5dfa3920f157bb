package io.sandglass.api.kafka;

import io.sandglass.api.store.LogBatch;
import io.sandglass.api.store.ProjectionStore;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.WireFormat;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads the whole log into an empty projection. */
public final class ProjectionRebuild {
  private static final Duration POLL = Duration.ofMillis(500);

  private ProjectionRebuild() {}

  /** Up to what is in the log now; returns how many events and pieces of usage that were. */
  public static long run(KafkaSettings settings, ProjectionStore store) {
    return run(settings, store, Map.of());
  }

  /**
   * Up to these offsets, by topic and partition, or to what is in the log now where there is none;
   * returns how many events and pieces of usage that were.
   */
  public static long run(
      KafkaSettings settings, ProjectionStore store, Map<String, Map<Integer, Long>> until) {
    try (Consumer<String, Decoded> consumer =
        new KafkaConsumer<>(
            settings.consumer(), new StringDeserializer(), WireFormat.deserializer())) {
      List<TopicPartition> partitions =
          Stream.of(ProjectionReader.EVENTS, ProjectionReader.USAGE)
              .flatMap(topic -> consumer.partitionsFor(topic).stream())
              .map(info -> new TopicPartition(info.topic(), info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(partitions));
      ends.replaceAll(
          (partition, end) ->
              until.isEmpty()
                  ? end
                  : until.get(partition.topic()).getOrDefault(partition.partition(), 0L));
      long events = 0;
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        ConsumerRecords<String, Decoded> records = consumer.poll(POLL);
        List<LogBatch> batches =
            ProjectionReader.batches(records, consumer).stream()
                .map(
                    batch ->
                        batch.upTo(ends.get(new TopicPartition(batch.topic(), batch.partition()))))
                .toList();
        var _ = store.apply(batches);
        events += batches.stream().mapToLong(batch -> batch.entries().size()).sum();
      }
      return events;
    }
  }
}
