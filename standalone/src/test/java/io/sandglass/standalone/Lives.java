package io.sandglass.standalone;

import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.CreateSandbox;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.DestroySandbox;
import io.sandglass.schemas.Egress;
import io.sandglass.schemas.KeepAlive;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.NoteRefusal;
import io.sandglass.schemas.ReportGone;
import io.sandglass.schemas.ReportOrigin;
import io.sandglass.schemas.ReportStarted;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.StartSpec;
import io.sandglass.schemas.TemplateRef;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What clients and a node say to an engine, and what is then in the log. */
final class Lives {
  static final String NODE = "node-under-test";
  static final String ORG = "org_test";
  static final int REPLY_PARTITION = 3;

  private Lives() {}

  static String sandbox(int number) {
    return "sbx_%026d".formatted(number);
  }

  /**
   * Sends one batch after the other. Of a producer it does not know yet, a broker takes the second
   * when it had to refuse the first, as that of a topic just made; the first can never follow.
   */
  static KafkaProducer<String, SpecificRecord> producer(String bootstrap) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
            1),
        new StringSerializer(),
        WireFormat.serializer());
  }

  static ScheduledFuture<?> beat(
      ScheduledExecutorService heart, KafkaProducer<String, SpecificRecord> producer) {
    return heart.scheduleAtFixedRate(
        () -> {
          var _ =
              producer.send(new ProducerRecord<>(Topic.HEARTBEATS.topicName(), NODE, heartbeat()));
        },
        0,
        500,
        TimeUnit.MILLISECONDS);
  }

  static ProducerRecord<String, SpecificRecord> create(int number) {
    return create(number, ORG);
  }

  static ProducerRecord<String, SpecificRecord> create(int number, String org) {
    return command(
        number,
        CreateSandbox.newBuilder()
            .setMeta(meta(number, org, "cmd_" + number, "key:test"))
            .setSpec(
                StartSpec.newBuilder()
                    .setTemplate(new TemplateRef("base", "base", "test/image:1"))
                    .setMode("ephemeral")
                    .setSize(new Size("small", 1000, 1L << 20))
                    .setEgress(new Egress("allow_all", List.of(), List.of(), List.of()))
                    .build())
            .setTimeoutMs(Duration.ofHours(1).toMillis())
            .setEnvNames(List.of())
            .setMetadata(Map.of())
            .build());
  }

  static ProducerRecord<String, SpecificRecord> started(int number) {
    return command(
        number,
        new ReportStarted(
            meta(number, ORG, "started_" + number, "node:" + NODE),
            new ReportOrigin(NODE, 1, 1L),
            false));
  }

  static ProducerRecord<String, SpecificRecord> destroy(int number) {
    return destroy(number, ORG);
  }

  static ProducerRecord<String, SpecificRecord> destroy(int number, String org) {
    return command(number, new DestroySandbox(meta(number, org, "destroy_" + number, "key:test")));
  }

  /**
   * @param turn which of several
   */
  static ProducerRecord<String, SpecificRecord> keepAlive(int number, String org, int turn) {
    return command(
        number,
        KeepAlive.newBuilder()
            .setMeta(meta(number, org, "keep_" + number + "_" + turn, "key:test"))
            .build());
  }

  static ProducerRecord<String, SpecificRecord> gone(int number) {
    return command(
        number,
        new ReportGone(
            meta(number, ORG, "gone_" + number, "node:" + NODE),
            new ReportOrigin(NODE, 1, 3L),
            "gone"));
  }

  /** Somebody of another organization was refused the sandbox. */
  static ProducerRecord<String, SpecificRecord> refused(int number) {
    return command(
        number,
        new NoteRefusal(
            meta(number, ORG, "refused_" + number, "key:stranger"),
            "foreign_organization",
            "getSandbox",
            "It belongs to another organization.",
            0L));
  }

  /** The organization was refused a sandbox beyond its quota. */
  static ProducerRecord<String, SpecificRecord> refused() {
    return new ProducerRecord<>(
        Topic.COMMANDS.topicName(),
        ORG,
        new NoteRefusal(
            meta(ORG, ORG, "refused", "key:test", null),
            "quota_exceeded",
            "createSandbox",
            "It has its sandboxes.",
            5L));
  }

  private static ProducerRecord<String, SpecificRecord> command(
      int number, SpecificRecord command) {
    return new ProducerRecord<>(Topic.COMMANDS.topicName(), sandbox(number), command);
  }

  private static CommandMeta meta(int number, String org, String commandId, String actor) {
    return meta(sandbox(number), org, commandId, actor, "f" + number);
  }

  private static CommandMeta meta(
      String sandboxId, String org, String commandId, String actor, String fingerprint) {
    return CommandMeta.newBuilder()
        .setCommandId(commandId)
        .setSandboxId(sandboxId)
        .setOrgId(org)
        .setActor(actor)
        .setReplyPartition(REPLY_PARTITION)
        .setSentAt(Instant.now())
        .setFingerprint(fingerprint)
        .build();
  }

  private static NodeHeartbeat heartbeat() {
    return NodeHeartbeat.newBuilder()
        .setNodeId(NODE)
        .setBootId("boot")
        .setDataPlaneUrl("http://127.0.0.1:1")
        .setCapacityCpuMillis(1_000_000_000)
        .setCapacityMemoryBytes(1L << 50)
        .setCapacitySandboxes(1_000_000)
        .setUsedCpuMillis(0)
        .setUsedMemoryBytes(0)
        .setUsedSandboxes(0)
        .setImages(List.of("test/image:1"))
        .setLabels(Map.of())
        .setWarm(Map.of())
        .setAt(Instant.now())
        .build();
  }

  /** All that is committed in a topic now, partition by partition. */
  static List<ConsumerRecord<byte[], byte[]>> records(String bootstrap, String topic) {
    Map<String, Object> config = new HashMap<>();
    config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (var consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream()
          .anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
        consumer.poll(Duration.ofMillis(200)).forEach(all::add);
      }
    }
    all.sort(Comparator.comparingInt(ConsumerRecord::partition));
    return all;
  }

  static SpecificRecord read(byte[] value) {
    return ((Decoded.Known) WireFormat.decode(value)).record();
  }
}
