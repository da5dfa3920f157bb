package io.sandglass.executor.kafka;

import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.WireFormat;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Kafka clients, set up for a node. Each is given what every client is told, where Kafka is and how
 * it is reached, which wins over what is here.
 */
public final class Clients {
  private Clients() {}

  /**
   * The producer of reports and heartbeats: nothing counts as sent before all replicas have it, and
   * nothing is given up while this process lives.
   */
  public static Producer<String, SpecificRecord> producer(
      Map<String, String> kafka, String nodeId) {
    Map<String, Object> config = new HashMap<>();
    config.put(ProducerConfig.CLIENT_ID_CONFIG, "sandglass-executor-" + nodeId);
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    config.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.MAX_VALUE);
    config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
    config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 5_000);
    config.putAll(kafka);
    return new KafkaProducer<>(config, new StringSerializer(), WireFormat.serializer());
  }

  /** The consumer of orders. The group holds committed offsets and has no members. */
  public static Consumer<String, Decoded> consumer(Map<String, String> kafka, String nodeId) {
    String name = "sandglass-executor-" + nodeId;
    Map<String, Object> config = config(kafka, name);
    config.put(ConsumerConfig.GROUP_ID_CONFIG, name);
    return new KafkaConsumer<>(config, new StringDeserializer(), WireFormat.deserializer());
  }

  /** The consumer of templates, which remembers nothing. */
  public static Consumer<String, Decoded> templates(Map<String, String> kafka, String nodeId) {
    return new KafkaConsumer<>(
        config(kafka, "sandglass-executor-" + nodeId + "-templates"),
        new StringDeserializer(),
        WireFormat.deserializer());
  }

  private static Map<String, Object> config(Map<String, String> kafka, String clientId) {
    Map<String, Object> config = new HashMap<>();
    config.put(ConsumerConfig.CLIENT_ID_CONFIG, clientId);
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    config.putAll(kafka);
    return config;
  }
}
