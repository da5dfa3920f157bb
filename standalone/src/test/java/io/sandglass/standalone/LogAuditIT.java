package io.sandglass.standalone;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.dropwizard.core.Application;
import io.dropwizard.testing.DropwizardTestSupport;
import io.sandglass.engine.Console;
import io.sandglass.engine.EngineApplication;
import io.sandglass.engine.EngineConfiguration;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Checkpoint;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.SandboxRequested;
import io.sandglass.schemas.SandboxStarted;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The engine's tools on a log that an engine wrote, and on copies of it that were tampered with, on
 * a broker of their own: each corruption is found and named.
 */
class LogAuditIT {
  private static final int LIVES = 30;

  /** So many were asked for by somebody else after their end; the organization wanted one more. */
  private static final int REFUSED = 10;

  private static final int EVENTS = 4 * LIVES + REFUSED + 1;
  private static final int PARTITIONS = 2;
  private static final String STORES = "sandglass-engine-sandboxes-changelog";
  private static final String DUE = "sandglass-engine-deadlines-changelog";

  @TempDir private static Path data;

  private static DropwizardTestSupport<EngineConfiguration> engine;
  private static EmbeddedBroker original;
  private static EmbeddedBroker copy;
  private static Map<String, List<ConsumerRecord<byte[], byte[]>>> topics;

  /** What a tool said. */
  private record Said(int code, String out, String err) {}

  @BeforeAll
  static void live() throws Exception {
    original = EmbeddedBroker.start(data.resolve("original"));
    copy = EmbeddedBroker.start(data.resolve("copy"));
    String bootstrap = original.bootstrapServers();
    engine =
        new DropwizardTestSupport<>(EngineApplication.class, "engine.yml") {
          @Override
          public Application<EngineConfiguration> newApplication() {
            return new EngineApplication(settings(bootstrap));
          }
        };
    engine.before();
    try (var producer = Lives.producer(bootstrap);
        ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor()) {
      var beating = Lives.beat(heart, producer);
      await("the node").until(() -> !records(Topic.NODES.topicName()).isEmpty());
      for (int i = 0; i < LIVES; i++) {
        var _ = producer.send(Lives.create(i));
        var _ = producer.send(Lives.started(i));
      }
      await("all starts, so that all run for a while")
          .until(() -> count(SandboxStarted.class) == LIVES);
      for (int i = 0; i < LIVES; i++) {
        var _ = producer.send(Lives.destroy(i));
        var _ = producer.send(Lives.gone(i));
      }
      for (int i = 0; i < REFUSED; i++) {
        var _ = producer.send(Lives.refused(LIVES - 1 - i));
      }
      var _ = producer.send(Lives.refused());
      producer.flush();
      await("all events and the checkpoints after them").until(LogAuditIT::isOver);
      beating.cancel(true);
    }
    topics = new HashMap<>();
    for (String topic :
        List.of(
            Topic.EVENTS.topicName(),
            Topic.CHECKPOINTS.topicName(),
            Topic.USAGE.topicName(),
            STORES,
            DUE)) {
      topics.put(topic, records(topic));
    }
  }

  private static boolean isOver() {
    long signed =
        records(Topic.CHECKPOINTS.topicName()).stream()
            .map(record -> (Checkpoint) Lives.read(record.value()))
            .collect(Collectors.toMap(Checkpoint::getPartition, Checkpoint::getEvents, Math::max))
            .values()
            .stream()
            .mapToLong(Long::longValue)
            .sum();
    long charged =
        records(Topic.USAGE.topicName()).stream()
            .map(record -> Lives.read(record.value()))
            .filter(UsageInterval.class::isInstance)
            .map(interval -> ((UsageInterval) interval).getSandboxId())
            .distinct()
            .count();
    return signed == EVENTS
        && records(Topic.EVENTS.topicName()).size() == EVENTS
        && charged == LIVES;
  }

  private static long count(Class<? extends SpecificRecord> type) {
    return records(Topic.EVENTS.topicName()).stream()
        .filter(record -> type.isInstance(Lives.read(record.value())))
        .count();
  }

  @AfterAll
  static void stop() {
    engine.after();
    original.close();
    copy.close();
  }

  private static org.awaitility.core.ConditionFactory await(String what) {
    return Awaitility.await(what)
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(500));
  }

  private static List<ConsumerRecord<byte[], byte[]>> records(String topic) {
    return Lives.records(original.bootstrapServers(), topic);
  }

  private static Map<String, String> settings(String bootstrap) {
    return Map.of(
        "SANDGLASS_KAFKA",
        bootstrap,
        "SANDGLASS_DATA_DIR",
        data.resolve("engine").toString(),
        "SANDGLASS_PARTITIONS",
        Integer.toString(PARTITIONS),
        "SANDGLASS_CHECKPOINTS",
        "200ms",
        "PORT",
        "0");
  }

  private static Said tool(EmbeddedBroker broker, String... arguments) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    AtomicInteger code = new AtomicInteger(-1);
    Console console =
        new Console(
            new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), code::set);
    new EngineApplication(settings(broker.bootstrapServers()), console).run(arguments);
    return new Said(code.get(), out.toString(UTF_8), err.toString(UTF_8));
  }

  // ---- as it was written ----

  @Test
  void nothingIsFoundWhileTheEngineIsAtWork() throws Exception {
    assertThat(tool(original, "audit", "verify"))
        .satisfies(
            said -> {
              assertThat(said.out()).isEmpty();
              assertThat(said.code()).isZero();
              assertThat(said.err()).contains("audit: " + EVENTS + " events");
            });
    assertThat(tool(original, "verify"))
        .satisfies(
            said -> {
              assertThat(said.out()).isEmpty();
              assertThat(said.code()).isZero();
              assertThat(said.err())
                  .contains("verify: " + EVENTS + " events of " + LIVES + " sandboxes");
            });
    assertThat(tool(original, "verify-usage"))
        .satisfies(
            said -> {
              assertThat(said.out()).isEmpty();
              assertThat(said.code()).isZero();
              assertThat(said.err()).contains(" intervals of " + EVENTS + " events");
            });
  }

  @Test
  void aHistoryIsToldStepByStep() throws Exception {
    Said said = tool(original, "replay", "--sandbox", Lives.sandbox(7));
    assertThat(said.code()).isZero();
    assertThat(said.out())
        .contains("SandboxRequested template=base image=test/image:1")
        .contains("by key:test, a command")
        .contains("-> running (running), node=" + Lives.NODE + " life=1")
        .contains("SandboxEnded reason=requested");
    assertThat(tool(original, "replay", "--sandbox", "sbx_nobody").code()).isEqualTo(2);
  }

  @Test
  void theLogIsWrittenOut() throws Exception {
    Said lines = tool(original, "export", "--org", "org_test");
    assertThat(lines.code()).isZero();
    List<String> rows = lines.out().lines().toList();
    assertThat(rows).hasSize(EVENTS);
    var first = new JsonMapper().readTree(rows.getFirst());
    assertThat(first.path("type").asText()).isEqualTo("SandboxRequested");
    assertThat(first.path("data").path("spec").path("template").path("image").asText())
        .isEqualTo("test/image:1");
    Path file = data.resolve("events.csv");
    assertThat(tool(original, "export", "--format", "csv", "--output", file.toString()).code())
        .isZero();
    assertThat(Files.readAllLines(file))
        .hasSize(EVENTS + 1)
        .first()
        .asString()
        .startsWith("event_id,org_id,sandbox_id,version,type,at");
    assertThat(tool(original, "export", "--org", "org_other").out()).isEmpty();
    assertThat(tool(original, "export", "--to", "2000-01-01T00:00:00Z").out()).isEmpty();
    assertThat(tool(original, "export", "--from", "yesterday").code()).isEqualTo(2);
  }

  @Test
  void theKeyForOthersIsPrinted() throws Exception {
    Said key = tool(original, "audit", "key");
    assertThat(key.out()).startsWith("-----BEGIN PUBLIC KEY-----").doesNotContain("PRIVATE");
    Path file = data.resolve("public.pem");
    Files.writeString(file, key.out());
    assertThat(tool(original, "audit", "verify", "--key", file.toString()).code()).isZero();
  }

  @Test
  void whatCanNotBeSaidIsNotSaid() throws Exception {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    AtomicInteger code = new AtomicInteger();
    Map<String, String> settings = new HashMap<>(settings(original.bootstrapServers()));
    settings.put("SANDGLASS_AUDIT_KEY", data.resolve("none.pem").toString());
    new EngineApplication(
            settings, new Console(System.out, new PrintStream(err, true, UTF_8), code::set))
        .run("audit", "verify");
    assertThat(code).hasValue(2);
    assertThat(err.toString(UTF_8)).contains("none.pem");
  }

  // ---- tampered with ----

  @Test
  void aFlippedByte() throws Exception {
    plant(
        Topic.EVENTS.topicName(),
        events -> {
          int at = find(events, 5, 3);
          byte[] value = events.get(at).value().clone();
          value[value.length - 2] ^= 1;
          events.set(at, with(events.get(at), value));
        });
    Said said = tool(copy, "audit", "verify");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out().lines())
        .singleElement()
        .asString()
        .contains(which(5, 3))
        .contains("its bytes are not those that were hashed");
  }

  @Test
  void aDroppedEvent() throws Exception {
    plant(Topic.EVENTS.topicName(), events -> events.remove(find(events, 5, 2)));
    Said said = tool(copy, "audit", "verify");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out())
        .contains(which(5, 3) + ": version 2 is missing before it")
        .contains("some are missing");
    Said folded = tool(copy, "verify");
    assertThat(folded.code()).isEqualTo(1);
    assertThat(folded.out()).contains(which(5, 3) + ": Expected version 2 next");
  }

  @Test
  void aSwappedOrder() throws Exception {
    plant(
        Topic.EVENTS.topicName(),
        events -> Collections.swap(events, find(events, 5, 2), find(events, 5, 3)));
    Said said = tool(copy, "audit", "verify");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out()).contains(which(5, 2) + ": out of order: version 3 is before it");
    assertThat(tool(copy, "verify").out()).contains(which(5, 3) + ": Expected version 2 next");
  }

  @Test
  void aDuplicatedVersion() throws Exception {
    plant(
        Topic.EVENTS.topicName(),
        events -> {
          int at = find(events, 5, 2);
          events.add(at + 1, events.get(at));
        });
    Said said = tool(copy, "audit", "verify");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out()).contains(which(5, 2) + ": is there twice");
    assertThat(tool(copy, "verify").out()).contains(which(5, 2) + ": Expected version 3 next");
  }

  @Test
  void aTruncatedTail() throws Exception {
    List<EventMeta> cut = new ArrayList<>();
    plant(
        Topic.EVENTS.topicName(),
        events -> {
          // The last of the first partition.
          int end = 0;
          while (end < events.size() && events.get(end).partition() == 0) {
            end++;
          }
          cut.add(meta(events.remove(end - 1)));
        });
    Said said = tool(copy, "audit", "verify");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out().lines())
        .singleElement()
        .asString()
        .contains("up to " + which(cut.getFirst()))
        .contains("its end is missing");
    assertThat(tool(copy, "verify").out())
        .contains(which(cut.getFirst()) + ": the store has it, but the events end with");
  }

  @Test
  void anEditedUsageRecord() throws Exception {
    String[] edited = new String[1];
    plant(
        Topic.USAGE.topicName(),
        records -> {
          int at = 0;
          while (!(Lives.read(records.get(at).value()) instanceof UsageInterval)) {
            at++;
          }
          UsageInterval told = (UsageInterval) Lives.read(records.get(at).value());
          edited[0] = told.getIntervalId();
          UsageInterval longer =
              UsageInterval.newBuilder(told)
                  .setTo(told.getTo().plusMillis(1))
                  .setDurationMs(told.getDurationMs() + 1)
                  .build();
          records.set(at, with(records.get(at), WireFormat.encode(longer)));
        });
    Said said = tool(copy, "verify-usage");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out().lines())
        .singleElement()
        .asString()
        .contains("usage " + edited[0] + ": is ")
        .contains("but from the events follows");
  }

  /** Whoever can write to Kafka can compute a hash. */
  @Test
  void aForgedEventWithARightChain() throws Exception {
    String forged = "sbx_forged";
    plant(
        Topic.EVENTS.topicName(),
        events -> {
          ConsumerRecord<byte[], byte[]> like = events.getFirst();
          SandboxRequested request = (SandboxRequested) Lives.read(like.value());
          EventMeta meta =
              EventMeta.newBuilder(request.getMeta())
                  .setSandboxId(forged)
                  .setEventId(forged + "-1")
                  .build();
          byte[] value =
              WireFormat.encode(SandboxRequested.newBuilder(request).setMeta(meta).build());
          byte[] key = forged.getBytes(UTF_8);
          events.add(
              1,
              record(like.partition(), key, value, ChainHash.SANDBOX.then(key, value).toBytes()));
        });
    Said said = tool(copy, "audit", "verify");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out()).contains("sandbox.checkpoints-0 checkpoint").contains("some were added");
    assertThat(tool(copy, "verify").out())
        .contains("sandbox=" + forged + " version=0: the events go on to version 1");
  }

  @Test
  void aCheckpointThatIsMissingOrForged() throws Exception {
    plant(Topic.CHECKPOINTS.topicName(), checkpoints -> checkpoints.removeFirst());
    assertThat(tool(copy, "audit", "verify").out()).contains("are missing before it");
    plant(
        Topic.CHECKPOINTS.topicName(),
        checkpoints -> {
          Checkpoint last = (Checkpoint) Lives.read(checkpoints.getLast().value());
          byte[] value =
              WireFormat.encode(
                  Checkpoint.newBuilder(last).setEvents(last.getEvents() - 1).build());
          checkpoints.set(checkpoints.size() - 1, with(checkpoints.getLast(), value));
        });
    assertThat(tool(copy, "audit", "verify").out()).contains("is not signed by a key");
  }

  @Test
  void aStoreThatSaysSomethingElse() throws Exception {
    plant(
        STORES,
        states -> {
          int last = 0;
          for (int i = 0; i < states.size(); i++) {
            if (new String(states.get(i).key(), UTF_8).equals(Lives.sandbox(5))) {
              last = i;
            }
          }
          byte[] value = states.get(last).value().clone();
          // The node's name, which is in there as text.
          int at =
              new String(value, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("node-u");
          value[at] = 'c';
          states.set(last, with(states.get(last), value));
        });
    Said said = tool(copy, "verify");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.out().lines())
        .singleElement()
        .asString()
        .contains("engine's store sandbox=" + Lives.sandbox(5) + " version=4: the store has");
  }

  // ---- how ----

  private static String which(int number, long version) {
    return "sandbox=" + Lives.sandbox(number) + " version=" + version;
  }

  private static String which(EventMeta meta) {
    return "sandbox=" + meta.getSandboxId() + " version=" + meta.getVersion();
  }

  private static EventMeta meta(ConsumerRecord<byte[], byte[]> record) {
    SpecificRecord event = Lives.read(record.value());
    return (EventMeta) event.get(event.getSchema().getField("meta").pos());
  }

  private static int find(List<ConsumerRecord<byte[], byte[]>> events, int number, long version) {
    for (int i = 0; i < events.size(); i++) {
      EventMeta meta = meta(events.get(i));
      if (meta.getSandboxId().equals(Lives.sandbox(number)) && meta.getVersion() == version) {
        return i;
      }
    }
    throw new AssertionError("There is no version " + version + " of " + Lives.sandbox(number));
  }

  /** Copies all topics to the other broker, one of them as it becomes by the change. */
  private static void plant(String topic, Consumer<List<ConsumerRecord<byte[], byte[]>>> change)
      throws Exception {
    String bootstrap = copy.bootstrapServers();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        var producer =
            new KafkaProducer<>(
                Map.of(
                    ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                    bootstrap,
                    // As Lives.producer says.
                    ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
                    1),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
      Set<String> before = admin.listTopics().names().get();
      admin.deleteTopics(before).all().get();
      await("the topics to be gone from the broker that is asked about them")
          .until(() -> Collections.disjoint(admin.listTopics().names().get(), before));
      admin
          .createTopics(
              topics.keySet().stream()
                  .map(name -> new NewTopic(name, PARTITIONS, (short) 1))
                  .toList())
          .all()
          .get();
      List<Future<?>> written = new ArrayList<>();
      for (var entry : topics.entrySet()) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(entry.getValue());
        if (entry.getKey().equals(topic)) {
          change.accept(records);
        }
        for (ConsumerRecord<byte[], byte[]> record : records) {
          written.add(
              producer.send(
                  new ProducerRecord<>(
                      entry.getKey(),
                      record.partition(),
                      record.key(),
                      record.value(),
                      record.headers())));
        }
      }
      for (Future<?> each : written) {
        each.get();
      }
    }
  }

  private static ConsumerRecord<byte[], byte[]> with(
      ConsumerRecord<byte[], byte[]> record, byte[] value) {
    var header = record.headers().lastHeader(ChainHash.HEADER);
    return record(record.partition(), record.key(), value, header == null ? null : header.value());
  }

  private static ConsumerRecord<byte[], byte[]> record(
      int partition, byte[] key, byte[] value, byte[] chain) {
    RecordHeaders headers = new RecordHeaders();
    if (chain != null) {
      headers.add(ChainHash.HEADER, chain);
    }
    return new ConsumerRecord<>(
        "copy",
        partition,
        0,
        0,
        TimestampType.CREATE_TIME,
        key.length,
        value.length,
        key,
        value,
        headers,
        Optional.empty());
  }
}
