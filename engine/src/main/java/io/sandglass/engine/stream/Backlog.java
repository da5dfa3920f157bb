package io.sandglass.engine.stream;

import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;

/** What was already waiting in a partition when somebody began to read it. */
interface Backlog {
  /**
   * The offset of the last record that is there now and that this application has not processed
   * yet; empty when it has processed all. Fails when Kafka doesn't tell.
   */
  CompletionStage<OptionalLong> lastWaiting(TopicPartition partition);
}
