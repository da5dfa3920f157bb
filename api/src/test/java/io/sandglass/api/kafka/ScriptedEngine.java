package io.sandglass.api.kafka;

import io.sandglass.schemas.BeginExecution;
import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.CommandOutcome;
import io.sandglass.schemas.CreateSandbox;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.DestroySandbox;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.KeepAlive;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.Patience;
import io.sandglass.schemas.SandboxRequested;
import io.sandglass.schemas.SandboxStarted;
import io.sandglass.schemas.TimeoutExtended;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Reads commands and writes events and outcomes in transactions, as the engine does. */
public final class ScriptedEngine {
  private static final String NODE = "node-1";

  private record Known(String org, boolean ephemeral, long version) {}

  private final KafkaConsumer<String, Decoded> consumer;
  private final KafkaProducer<String, SpecificRecord> producer;
  private final Map<String, Known> sandboxes = new HashMap<>();
  private final Set<String> requestIds = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile boolean stopped;
  private volatile boolean paused;
  private final CountDownLatch pausing = new CountDownLatch(1);

  private ScriptedEngine(String servers) {
    KafkaSettings settings = new KafkaSettings(servers, Map.of());
    consumer =
        new KafkaConsumer<>(
            settings.consumer(), new StringDeserializer(), WireFormat.deserializer());
    Map<String, Object> config = settings.producer();
    config.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "scripted-engine");
    // A broker that has just started may take its time to make the topic of transactions.
    config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 60_000);
    config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 60_000);
    producer = new KafkaProducer<>(config, new StringSerializer(), WireFormat.serializer());
    thread = Thread.ofPlatform().daemon().name("scripted-engine").unstarted(this::run);
  }

  public static ScriptedEngine start(String servers) {
    ScriptedEngine engine = new ScriptedEngine(servers);
    engine.thread.start();
    return engine;
  }

  public void stop() throws InterruptedException {
    stopped = true;
    thread.join();
  }

  /** Returns when it reads no more. */
  public void pause() throws InterruptedException {
    paused = true;
    pausing.await();
  }

  public void resume() {
    paused = false;
  }

  /** Those that came in the commands' headers. */
  public Set<String> requestIds() {
    return Set.copyOf(requestIds);
  }

  private void run() {
    try (consumer;
        producer) {
      producer.initTransactions();
      producer.beginTransaction();
      send(Topic.NODES, null, NODE, node());
      producer.commitTransaction();
      List<TopicPartition> partitions =
          consumer.partitionsFor(Topic.COMMANDS.topicName()).stream()
              .map(info -> new TopicPartition(info.topic(), info.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!stopped) {
        if (paused) {
          consumer.pause(partitions);
          pausing.countDown();
        } else {
          consumer.resume(partitions);
        }
        for (ConsumerRecord<String, Decoded> record : consumer.poll(Duration.ofMillis(20))) {
          for (Header header : record.headers().headers("x-request-id")) {
            requestIds.add(new String(header.value(), StandardCharsets.US_ASCII));
          }
          producer.beginTransaction();
          if (record.value() instanceof Decoded.Known(SpecificRecord command)) {
            decide(command);
          }
          producer.commitTransaction();
        }
      }
    }
  }

  private void decide(SpecificRecord command) {
    switch (command) {
      case CreateSandbox create -> {
        String id = create.getMeta().getSandboxId();
        Known known = new Known(create.getMeta().getOrgId(), create.getTimeoutMs() != null, 1);
        sandboxes.put(id, known);
        send(Topic.EVENTS, null, id, requested(create));
        accepted(create.getMeta(), 1);
        sandboxes.put(id, new Known(known.org(), known.ephemeral(), 2));
        send(
            Topic.EVENTS,
            null,
            id,
            SandboxStarted.newBuilder()
                .setMeta(meta(create.getMeta(), 2, "report", "running"))
                .build());
      }
      case KeepAlive keepAlive -> {
        Known known = sandboxes.get(keepAlive.getMeta().getSandboxId());
        if (known == null) {
          rejected(keepAlive.getMeta(), "sandbox_not_found");
        } else if (!known.ephemeral()) {
          rejected(keepAlive.getMeta(), "not_ephemeral");
        } else {
          long version = known.version() + 1;
          sandboxes.put(keepAlive.getMeta().getSandboxId(), new Known(known.org(), true, version));
          send(
              Topic.EVENTS,
              null,
              keepAlive.getMeta().getSandboxId(),
              TimeoutExtended.newBuilder()
                  .setMeta(meta(keepAlive.getMeta(), version, "command", "running"))
                  .setExpiresAt(now().plus(Duration.ofHours(1)))
                  .build());
          accepted(keepAlive.getMeta(), version);
        }
      }
      case DestroySandbox destroy -> rejected(destroy.getMeta(), "sandbox_not_found");
      case BeginExecution _ -> {}
      default -> throw new IllegalStateException("Not scripted: " + command);
    }
  }

  private static SandboxRequested requested(CreateSandbox create) {
    return SandboxRequested.newBuilder()
        .setMeta(meta(create.getMeta(), 1, "command", "creating"))
        .setSpec(create.getSpec())
        .setTimeoutMs(create.getTimeoutMs())
        .setIdleTimeoutMs(create.getIdleTimeoutMs())
        .setExpiresAt(
            create.getTimeoutMs() == null ? null : now().plusMillis(create.getTimeoutMs()))
        .setEnvNames(create.getEnvNames())
        .setEnvSealed(create.getEnvSealed())
        .setMetadata(create.getMetadata())
        .setPatience(new Patience(1L, 1L, 1L, 1L, 1L, 1L, 1))
        .setFingerprint(create.getMeta().getFingerprint())
        .build();
  }

  private static EventMeta meta(CommandMeta command, long version, String cause, String status) {
    return EventMeta.newBuilder()
        .setEventId(command.getSandboxId() + "-" + version)
        .setSandboxId(command.getSandboxId())
        .setOrgId(command.getOrgId())
        .setVersion(version)
        .setAt(now())
        .setCause(cause)
        .setActor(command.getActor())
        .setRequestId(command.getRequestId())
        .setCommandId(command.getCommandId())
        .setStatusAfter(status)
        .setIncarnation(1)
        .setNodeId(NODE)
        .build();
  }

  private void accepted(CommandMeta meta, long version) {
    outcome(meta, true, null, version);
  }

  private void rejected(CommandMeta meta, String code) {
    outcome(meta, false, code, 0);
  }

  private void outcome(CommandMeta meta, boolean accepted, String code, long version) {
    send(
        Topic.OUTCOMES,
        meta.getReplyPartition(),
        meta.getSandboxId(),
        CommandOutcome.newBuilder()
            .setCommandId(meta.getCommandId())
            .setSandboxId(meta.getSandboxId())
            .setOrgId(meta.getOrgId())
            .setRequestId(meta.getRequestId())
            .setAccepted(accepted)
            .setCode(code)
            .setDetail(code == null ? null : "Expected otherwise")
            .setVersion(version)
            .setAt(now())
            .build());
  }

  private static NodeStatus node() {
    return NodeStatus.newBuilder()
        .setNodeId(NODE)
        .setSlot(0)
        .setState("ready")
        .setEpoch(1)
        .setHeartbeat(
            NodeHeartbeat.newBuilder()
                .setNodeId(NODE)
                .setBootId("boot-1")
                .setDataPlaneUrl("http://127.0.0.1:1")
                .setCapacityCpuMillis(1_000)
                .setCapacityMemoryBytes(1L << 30)
                .setCapacitySandboxes(10)
                .setUsedCpuMillis(0)
                .setUsedMemoryBytes(0)
                .setUsedSandboxes(0)
                .setImages(List.of("sandglass/base:0.1.0"))
                .setLabels(Map.of())
                .setWarm(Map.of())
                .setAt(now())
                .build())
        .build();
  }

  private void send(Topic topic, Integer partition, String key, SpecificRecord record) {
    var _ = producer.send(new ProducerRecord<>(topic.topicName(), partition, key, record));
  }

  private static Instant now() {
    return Instant.ofEpochMilli(System.currentTimeMillis()).truncatedTo(ChronoUnit.MILLIS);
  }
}
