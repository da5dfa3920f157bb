package io.sandglass.standalone;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.schemas.Topic;
import io.sandglass.schemas.Topics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedBrokerTest {

  @Test
  void keepsTheLogAcrossARestart(@TempDir Path directory) throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(directory)) {
      try (Admin admin =
          Admin.create(
              Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()))) {
        Topics.ensure(admin, 2, 2, (short) 1);
        Topics.ensure(admin, 2, 2, (short) 1);
        assertThat(admin.listTopics().names().get())
            .containsAll(List.of(Topic.values()).stream().map(Topic::topicName).toList());
      }
      try (var producer =
          new KafkaProducer<>(
              Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()),
              new StringSerializer(),
              new StringSerializer())) {
        producer.send(new ProducerRecord<>(Topic.EVENTS.topicName(), 0, "k", "kept")).get();
      }
    }
    try (EmbeddedBroker broker = EmbeddedBroker.start(directory);
        var consumer =
            new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()),
                new StringDeserializer(),
                new StringDeserializer())) {
      TopicPartition partition = new TopicPartition(Topic.EVENTS.topicName(), 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> consumer.poll(Duration.ofMillis(100)).records(partition).size(),
              size -> size == 1);
    }
  }

  @Test
  void aDirectoryThatIsAFileIsRefused(@TempDir Path directory) throws Exception {
    Path file =
        java.nio.file.Files.write(directory.resolve("log"), "not a directory".getBytes(UTF_8));
    assertThatThrownBy(() -> EmbeddedBroker.start(file)).isInstanceOf(IOException.class);
  }
}
