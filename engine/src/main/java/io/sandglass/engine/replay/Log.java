package io.sandglass.engine.replay;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;

/** Kafka's topics, read partition by partition; what is not committed is not there. */
public final class Log implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(500);
  private static final int PATIENCE_MS = 20_000;
  private static final int FETCH_BYTES = 8 << 20;

  /**
   * At the end of a partition the consumer has asked for more already, and reads no other partition
   * of that broker before it is told that there is none.
   */
  private static final int FETCH_WAIT_MS = 5;

  private final KafkaConsumer<byte[], byte[]> consumer;

  /**
   * @param kafka what every client of Kafka is told: where it is, and how it is reached
   */
  public Log(Map<String, String> kafka) {
    Map<String, Object> config = new HashMap<>();
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    config.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MS);
    config.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MS);
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
    config.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES);
    config.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_WAIT_MS);
    config.putAll(kafka);
    consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /**
   * How many partitions a topic has.
   *
   * @throws IllegalStateException when there is no such topic
   */
  public int partitions(String topic) {
    int partitions = consumer.partitionsFor(topic).size();
    if (partitions == 0) {
      throw new IllegalStateException("Kafka has no topic " + topic);
    }
    return partitions;
  }

  /** Where a key's records are: what Kafka's own producers do with it. */
  public int partition(String topic, byte[] key) {
    return Utils.toPositive(Utils.murmur2(key)) % partitions(topic);
  }

  /** The offset after what is committed now. */
  public long end(String topic, int partition) {
    TopicPartition at = new TopicPartition(topic, partition);
    return consumer.endOffsets(List.of(at)).get(at);
  }

  /** The first offset that is still there. */
  public long beginning(String topic, int partition) {
    TopicPartition at = new TopicPartition(topic, partition);
    return consumer.beginningOffsets(List.of(at)).get(at);
  }

  /** How many offsets a topic takes up: a little more than its records. */
  public long size(String topic) {
    long size = 0;
    for (int partition = 0; partition < partitions(topic); partition++) {
      size += end(topic, partition) - beginning(topic, partition);
    }
    return size;
  }

  /** Reads from the first record there is. */
  public void read(
      String topic, int partition, long end, Consumer<ConsumerRecord<byte[], byte[]>> each) {
    read(topic, partition, beginning(topic, partition), end, each);
  }

  /** Reads from one offset up to another one. */
  public void read(
      String topic,
      int partition,
      long begin,
      long end,
      Consumer<ConsumerRecord<byte[], byte[]>> each) {
    TopicPartition at = new TopicPartition(topic, partition);
    consumer.assign(List.of(at));
    consumer.seek(at, begin);
    while (consumer.position(at) < end) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        if (record.offset() < end) {
          each.accept(record);
        }
      }
    }
  }

  @Override
  public void close() {
    consumer.close();
  }
}
