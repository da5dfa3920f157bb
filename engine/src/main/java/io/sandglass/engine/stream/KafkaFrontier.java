package io.sandglass.engine.stream;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Asks the broker for the end, and the consumers for their positions. A position also passes what
 * is no record: the markers of transactions, one of which is the last thing in every partition of
 * events.
 */
final class KafkaFrontier implements Frontier {

  /**
   * @param position where the consumer goes on
   * @param handedOver offset of the last record that it gave to Streams, which may keep it for a
   *     while
   */
  private record Reach(long position, long handedOver) {}

  private final Admin admin;
  private final Map<TopicPartition, Reach> reached = new ConcurrentHashMap<>();

  KafkaFrontier(Admin admin) {
    this.admin = admin;
  }

  @Override
  public CompletionStage<Long> end(TopicPartition partition) {
    return admin
        .listOffsets(
            Map.of(partition, OffsetSpec.latest()),
            new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED))
        .partitionResult(partition)
        .toCompletionStage()
        .thenApply(ListOffsetsResultInfo::offset);
  }

  @Override
  public boolean isRead(TopicPartition partition, long end, long processed) {
    Reach reach = reached.get(partition);
    return reach != null && reach.position() >= end && reach.handedOver() <= processed;
  }

  /** A consumer that notes how far it came. */
  final class NotingConsumer extends KafkaConsumer<byte[], byte[]> {
    private Set<TopicPartition> assigned = Set.of();

    NotingConsumer(Map<String, Object> config) {
      super(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @Override
    public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
      ConsumerRecords<byte[], byte[]> records = super.poll(timeout);
      Set<TopicPartition> now = new HashSet<>(assignment());
      for (TopicPartition partition : now) {
        Reach before = assigned.contains(partition) ? reached.get(partition) : null;
        var got = records.records(partition);
        long handedOver =
            got.isEmpty() ? before == null ? -1 : before.handedOver() : got.getLast().offset();
        try {
          reached.put(partition, new Reach(position(partition, Duration.ZERO), handedOver));
        } catch (TimeoutException e) {
          // Not known yet where to begin.
          reached.remove(partition);
        }
      }
      assigned = now;
      return records;
    }
  }
}
