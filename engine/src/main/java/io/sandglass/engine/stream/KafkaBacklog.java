package io.sandglass.engine.stream;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Asks the broker: the partition's end, and how far the group has committed. */
public final class KafkaBacklog implements Backlog {
  private final Admin admin;
  private final String group;

  public KafkaBacklog(Admin admin, String group) {
    this.admin = admin;
    this.group = group;
  }

  @Override
  public CompletionStage<OptionalLong> lastWaiting(TopicPartition partition) {
    CompletionStage<Long> end = offset(partition, OffsetSpec.latest());
    CompletionStage<Long> start = offset(partition, OffsetSpec.earliest());
    return committed(partition)
        .thenCombine(start, (committed, earliest) -> committed.orElse(earliest))
        .thenCombine(
            end, (next, after) -> next < after ? OptionalLong.of(after - 1) : OptionalLong.empty());
  }

  private CompletionStage<Long> offset(TopicPartition partition, OffsetSpec which) {
    return admin
        .listOffsets(Map.of(partition, which))
        .partitionResult(partition)
        .toCompletionStage()
        .thenApply(ListOffsetsResultInfo::offset);
  }

  /** Stable: a transaction of the task's former owner must be over before its offset counts. */
  private CompletionStage<OptionalLong> committed(TopicPartition partition) {
    return admin
        .listConsumerGroupOffsets(
            Map.of(group, new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(partition))),
            new ListConsumerGroupOffsetsOptions().requireStable(true))
        .partitionsToOffsetAndMetadata(group)
        .toCompletionStage()
        .thenApply(
            offsets -> {
              OffsetAndMetadata offset = offsets.get(partition);
              return offset == null ? OptionalLong.empty() : OptionalLong.of(offset.offset());
            });
  }
}
