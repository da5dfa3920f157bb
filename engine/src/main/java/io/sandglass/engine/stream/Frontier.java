package io.sandglass.engine.stream;

import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;

/** How far a partition reaches, and how far it was read. */
interface Frontier {
  /**
   * The offset after the last record that is in the partition now, those of open transactions
   * included. Fails when Kafka doesn't tell.
   */
  CompletionStage<Long> end(TopicPartition partition);

  /**
   * Whether nothing before {@code end} is still to be processed.
   *
   * @param processed offset of the last record that was processed since this task has the
   *     partition; -1 for none
   */
  boolean isRead(TopicPartition partition, long end, long processed);
}
