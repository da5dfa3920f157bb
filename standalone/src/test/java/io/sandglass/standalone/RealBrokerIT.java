package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.schemas.CommandOutcome;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.SandboxRequested;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.Topics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.kafka.KafkaContainer;

/**
 * The engine in a process of its own against a broker in a container: killed in mid-flow, it takes
 * up every command exactly once, and each outcome reaches the partition that asked.
 */
class RealBrokerIT {
  private static final int COMMANDS = 1_200;
  private static final int PARTITIONS = 4;

  @Test
  void everyCommandTakesEffectOnceAcrossKills(@TempDir Path data) throws Exception {
    try (KafkaContainer kafka = new KafkaContainer("apache/kafka:4.3.1")) {
      kafka.start();
      String bootstrap = kafka.getBootstrapServers();
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
        Topics.ensure(admin, PARTITIONS, 4, (short) 1);
      }
      try (var producer = Lives.producer(bootstrap);
          ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor()) {
        Future<?> beating = Lives.beat(heart, producer);
        List<Future<?>> sent = new ArrayList<>();
        Process engine = engine(bootstrap, data);
        try {
          Awaitility.await("the node's slot")
              .atMost(Duration.ofMinutes(1))
              .until(() -> !records(bootstrap, Topic.NODES).isEmpty());
          for (int i = 0; i < COMMANDS; i++) {
            // Every command arrives twice, as after a retry of a client that got no answer.
            sent.add(producer.send(Lives.create(i)));
            sent.add(producer.send(Lives.create(i)));
            if (i == COMMANDS / 3 || i == 2 * COMMANDS / 3) {
              producer.flush();
              engine.destroyForcibly().onExit().join();
              engine = engine(bootstrap, data);
            }
          }
          for (Future<?> record : sent) {
            record.get();
          }
          Awaitility.await("all outcomes")
              .atMost(Duration.ofMinutes(2))
              .pollInterval(Duration.ofSeconds(1))
              .untilAsserted(() -> assertThat(outcomes(bootstrap)).hasSize(COMMANDS));
        } finally {
          engine.destroyForcibly().onExit().join();
          beating.cancel(true);
        }
      }

      assertThat(outcomes(bootstrap).values())
          .allSatisfy(
              answers -> {
                assertThat(answers).hasSize(2);
                assertThat(Set.copyOf(answers)).as("both answers").hasSize(1);
                assertThat(answers.get(0).getAccepted()).isTrue();
                assertThat(answers.get(0).getVersion()).isEqualTo(1);
              });
      assertThat(ids(records(bootstrap, Topic.EVENTS)))
          .as("events")
          .containsExactlyInAnyOrderElementsOf(
              IntStream.range(0, COMMANDS).mapToObj(Lives::sandbox).toList());
      int slot =
          records(bootstrap, Topic.NODES).stream()
              .map(record -> ((NodeStatus) record.value()).getSlot())
              .findFirst()
              .orElseThrow();
      List<ConsumerRecord<String, SpecificRecord>> orders = records(bootstrap, Topic.ORDERS);
      assertThat(orders).allMatch(order -> order.partition() == slot);
      assertThat(ids(orders)).hasSize(COMMANDS).doesNotHaveDuplicates();
      assertThat(records(bootstrap, Topic.DEAD_LETTERS)).isEmpty();
    }
  }

  /**
   * The sandboxes that were asked for, once for each time; on a slow machine their watchdogs speak
   * up as well.
   */
  private static List<String> ids(List<ConsumerRecord<String, SpecificRecord>> records) {
    return records.stream()
        .filter(record -> record.value() instanceof SandboxRequested)
        .map(ConsumerRecord::key)
        .toList();
  }

  /** By command id; all of them have to be where they were asked for. */
  private static Map<String, List<CommandOutcome>> outcomes(String bootstrap) {
    List<ConsumerRecord<String, SpecificRecord>> records = records(bootstrap, Topic.OUTCOMES);
    assertThat(records).allMatch(record -> record.partition() == Lives.REPLY_PARTITION);
    return records.stream()
        .map(record -> (CommandOutcome) record.value())
        .collect(Collectors.groupingBy(CommandOutcome::getCommandId));
  }

  /** All that is committed in a topic now. */
  private static List<ConsumerRecord<String, SpecificRecord>> records(
      String bootstrap, Topic topic) {
    return Lives.records(bootstrap, topic.topicName()).stream()
        .map(
            record ->
                new ConsumerRecord<>(
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    new String(record.key(), StandardCharsets.UTF_8),
                    Lives.read(record.value())))
        .toList();
  }

  private static Process engine(String bootstrap, Path data) throws IOException {
    return PartProcess.start(
        "engine",
        data.resolve("engine.log"),
        Map.of(
            "SANDGLASS_KAFKA",
            bootstrap,
            "SANDGLASS_DATA_DIR",
            data.resolve("engine").toString(),
            "PORT",
            "0",
            "ADMIN_PORT",
            "0"));
  }
}
