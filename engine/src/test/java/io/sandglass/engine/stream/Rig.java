package io.sandglass.engine.stream;

import com.codahale.metrics.MetricRegistry;
import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.sandglass.engine.audit.Ledger;
import io.sandglass.engine.audit.SigningKey;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.lifecycle.Deadline;
import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.engine.wire.Kept;
import io.sandglass.engine.wire.NodeRecords;
import io.sandglass.engine.wire.Receipt;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.test.TestRecord;

/** One life of the engine on the test driver, with typed ends. */
final class Rig implements AutoCloseable {
  static final Patience PATIENCE =
      new Patience(
          Duration.ofSeconds(60),
          Duration.ofSeconds(10),
          Duration.ofSeconds(15),
          Duration.ofSeconds(15),
          Duration.ofMinutes(10),
          Duration.ofHours(24),
          3);
  static final Duration TICK = Duration.ofMillis(50);
  static final Duration NODE_TIMEOUT = Duration.ofSeconds(10);
  static final Duration CHECKPOINTS = Duration.ofMinutes(1);
  static final SigningKey KEY = SigningKey.generate();
  static final int SLOTS = 4;

  /**
   * A record that came out.
   *
   * @param partition where it was addressed to; empty for its key's
   */
  record Sent(
      String key,
      SpecificRecord body,
      Bytes value,
      Optional<Integer> partition,
      Optional<String> requestId,
      Optional<ChainHash> chain) {}

  private final TopologyTestDriver driver;
  private final Path stateDirectory;
  private final Map<String, Queue<Optional<Integer>>> partitions = new HashMap<>();
  final MetricRegistry metrics = new MetricRegistry();

  Rig(Instant start, OptionalLong lastWaiting, LongSupplier nanoTime) {
    this(start, _ -> CompletableFuture.completedFuture(lastWaiting), nanoTime, SLOTS);
  }

  Rig(Instant start, Backlog backlog, LongSupplier nanoTime, int slots) {
    Settings settings =
        new Settings(
            PATIENCE, TICK, Duration.ofMillis(250), NODE_TIMEOUT, CHECKPOINTS, TICK, slots);
    Ports ports = new Ports(backlog, new EngineMetrics(metrics), KEY, nanoTime);
    Topology topology = SandboxTopology.build(settings, ports, new Noting());
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
    stateDirectory = temporaryDirectory();
    properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory.toString());
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
    driver = new TopologyTestDriver(topology, properties, start);
  }

  /** Notes where records are addressed to: the driver's output doesn't tell. */
  private final class Noting implements StreamPartitioner<byte[], Outgoing> {
    @Override
    public Optional<Set<Integer>> partitions(
        String topic, byte[] key, Outgoing outgoing, int count) {
      partitions.computeIfAbsent(topic, _ -> new ArrayDeque<>()).add(outgoing.partition());
      return Optional.of(Set.of(0));
    }
  }

  void send(Topic topic, String key, SpecificRecord body, String requestId) {
    RecordHeaders headers = new RecordHeaders();
    if (requestId != null) {
      headers.add(Outbox.REQUEST_ID, requestId.getBytes(StandardCharsets.UTF_8));
    }
    send(topic, key.getBytes(StandardCharsets.UTF_8), WireFormat.encode(body), headers);
  }

  void send(Topic topic, byte[] key, byte[] value, RecordHeaders headers) {
    driver
        .createInputTopic(topic.topicName(), new ByteArraySerializer(), new ByteArraySerializer())
        .pipeInput(new TestRecord<>(key, value, headers));
  }

  void advance(Duration step) {
    driver.advanceWallClockTime(step);
  }

  /** What came out of a topic since last asked. */
  List<Sent> drain(Topic topic) {
    return driver
        .createOutputTopic(topic.topicName(), new StringDeserializer(), new ByteArrayDeserializer())
        .readRecordsToList()
        .stream()
        .map(
            record ->
                new Sent(
                    record.key(),
                    known(record.value()),
                    Bytes.wrap(record.value()),
                    partitions.get(topic.topicName()).remove(),
                    Outbox.requestId(record.headers()),
                    Optional.ofNullable(record.headers().lastHeader(ChainHash.HEADER))
                        .map(header -> ChainHash.of(header.value()))))
        .toList();
  }

  private static SpecificRecord known(byte[] value) {
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(SpecificRecord record) -> record;
      case Decoded.Unknown _, Decoded.Malformed _ ->
          throw new AssertionError("The engine wrote what nobody can read");
    };
  }

  KeyValueStore<Integer, Ledger> ledgers() {
    return driver.getKeyValueStore(Names.LEDGER_STORE);
  }

  KeyValueStore<String, Kept> sandboxes() {
    return driver.getKeyValueStore(Names.SANDBOXES_STORE);
  }

  WindowStore<String, Receipt> receipts() {
    return driver.getWindowStore(Names.RECEIPTS_STORE);
  }

  private KeyValueStore<Bytes, byte[]> deadlineStore() {
    return driver.getKeyValueStore(Names.DEADLINES_STORE);
  }

  Map<String, Kept> allSandboxes() {
    Map<String, Kept> all = new HashMap<>();
    try (KeyValueIterator<String, Kept> entries = sandboxes().all()) {
      entries.forEachRemaining(entry -> all.put(entry.key, entry.value));
    }
    return all;
  }

  Set<String> allDeadlines() {
    Set<String> all = new HashSet<>();
    try (KeyValueIterator<Bytes, byte[]> entries = deadlineStore().all()) {
      entries.forEachRemaining(
          entry ->
              all.add(
                  DeadlineIndex.sandboxId(entry.key) + " " + DeadlineIndex.deadline(entry.key)));
    }
    return all;
  }

  /** When something is due. */
  List<Instant> dueTimes() {
    List<Instant> all = new ArrayList<>();
    try (KeyValueIterator<Bytes, byte[]> entries = deadlineStore().all()) {
      entries.forEachRemaining(entry -> all.add(DeadlineIndex.deadline(entry.key).due()));
    }
    return all;
  }

  /** Puts a state where the engine would have it, with its deadlines. */
  void restore(String id, Kept kept) {
    sandboxes().put(id, kept);
    for (Deadline deadline : Deadline.of(kept.sandbox())) {
      deadlineStore().put(DeadlineIndex.key(deadline, id), new byte[0]);
    }
  }

  void restore(Node node) {
    byte[] bytes = WireFormat.encode(NodeRecords.write(node));
    driver.<String, byte[]>getKeyValueStore(Names.FLEET_STORE).put(node.id(), bytes);
    send(Topic.NODES, node.id().getBytes(StandardCharsets.UTF_8), bytes, new RecordHeaders());
  }

  @Override
  public void close() {
    driver.close();
    try {
      MoreFiles.deleteRecursively(stateDirectory, RecursiveDeleteOption.ALLOW_INSECURE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path temporaryDirectory() {
    try {
      return Files.createTempDirectory("engine-test");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
