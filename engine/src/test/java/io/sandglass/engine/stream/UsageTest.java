package io.sandglass.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import io.sandglass.engine.fleet.Heartbeat;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.fleet.Resources;
import io.sandglass.engine.lifecycle.Depth;
import io.sandglass.engine.lifecycle.EndReason;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Evolution;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Histories;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.SuspendReason;
import io.sandglass.engine.usage.Examples;
import io.sandglass.engine.usage.Interval;
import io.sandglass.engine.usage.Meter;
import io.sandglass.engine.usage.Metering;
import io.sandglass.engine.wire.EventWriter;
import io.sandglass.engine.wire.NodeRecords;
import io.sandglass.engine.wire.UsageRecords;
import io.sandglass.schemas.DeadLetter;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import io.sandglass.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The usage application on the test driver. */
class UsageTest {
  private static final Duration SETTLE = Duration.ofSeconds(60);
  private static final Duration TICK = Duration.ofSeconds(1);

  /** Where the partition ends, and whether what is before was read, as the test says. */
  private static final class ScriptedFrontier implements Frontier {
    private CompletableFuture<Long> end = CompletableFuture.completedFuture(0L);
    private boolean read = true;

    @Override
    public CompletionStage<Long> end(TopicPartition partition) {
      assertThat(partition).isEqualTo(new TopicPartition("sandbox.events", 0));
      return end;
    }

    @Override
    public boolean isRead(TopicPartition partition, long before, long processed) {
      return read;
    }
  }

  @TempDir private Path stateDirectory;
  private final ScriptedFrontier frontier = new ScriptedFrontier();
  private final MetricRegistry metrics = new MetricRegistry();
  private final List<UsageInterval> intervals = new ArrayList<>();
  private final List<UsageWatermark> watermarks = new ArrayList<>();
  private TopologyTestDriver driver;
  private Instant now = time("10:00:00");
  private Sandbox sandbox = new Sandbox.Absent();

  @BeforeEach
  void start() {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
    properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory.toString());
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
    properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
    driver =
        new TopologyTestDriver(
            UsageTopology.build(
                new UsageProcessor.Settings(SETTLE, 8), frontier, new EngineMetrics(metrics)),
            properties,
            now);
    heard("n1", now);
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  @Test
  void intervalsComeAsTheyEnd() {
    startAt("10:30:00");
    waitUntil("10:40:00");
    assertThat(intervals).isEmpty();
    happens(new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));

    assertThat(spans()).containsExactly("10:30-10:40");
    UsageInterval interval = intervals.getFirst();
    assertThat(interval.getState()).isEqualTo("running");
    assertThat(interval.getTemplateName()).isEqualTo("python");
    assertThat(interval.getSize().getMemoryBytes()).isEqualTo(256L << 20);
    assertThat(interval.getDurationMs()).isEqualTo(600_000);
    assertThat(interval.getReverses()).isNull();
    waitUntil("10:50:00");
    assertThat(watermarks.getLast().getCompleteThrough()).isAfter(time("10:45:00"));
    assertThat(metrics.meter("engine.late_usage").getCount()).isZero();
  }

  @Test
  void aNodeThatIsLostLateTakesNothingBack() {
    startAt("10:30:00");
    heard("n1", time("10:58:00"));
    silentUntil("12:30:00");
    happens(
        new Fact.SandboxSuspended(
            Depth.STOPPED, SuspendReason.NODE_LOST, Optional.of(time("10:58:00"))));

    assertThat(spans()).containsExactly("10:30-10:58");
    silentUntil("12:35:00");
    assertThat(spans()).containsExactly("10:30-10:58", "10:58-11:00", "11:00-12:00");
    assertThat(metrics.meter("engine.late_usage").getCount()).isZero();
  }

  @Test
  void anEndBeforeWhatWasCompleteIsToldAndNoticed() {
    startAt("10:30:00");
    waitUntil("11:10:00");
    happens(new Fact.SandboxEnded(EndReason.NODE_LOST, "?", Optional.of(time("10:50:00"))));

    assertThat(spans()).containsExactly("10:30-11:00", "10:30-11:00", "10:30-10:50");
    assertThat(intervals.get(1).getReverses()).isEqualTo(intervals.get(0).getIntervalId());
    assertThat(intervals.stream().mapToLong(UsageInterval::getDurationMs).sum())
        .isEqualTo(Duration.ofMinutes(20).toMillis());
    assertThat(metrics.meter("engine.late_usage").getCount()).isEqualTo(2);
  }

  @Test
  void hoursAreToldWhileASandboxGoesOn() {
    startAt("10:30:00");
    waitUntil("11:00:55");
    assertThat(intervals).isEmpty();

    waitUntil("11:03:30");

    assertThat(spans()).containsExactly("10:30-11:00");
    assertThat(watermarks.getLast().getCompleteThrough()).isEqualTo(time("11:00:00"));
    waitUntil("12:03:30");
    assertThat(spans()).containsExactly("10:30-11:00", "11:00-12:00");
  }

  @Test
  void withoutSandboxesItIsCompleteUpToTheLastRound() {
    waitUntil("10:10:00");

    assertThat(watermarks)
        .isNotEmpty()
        .isSortedAccordingTo(
            (one, other) -> one.getCompleteThrough().compareTo(other.getCompleteThrough()));
    assertThat(watermarks.getLast().getSourcePartition()).isZero();
    assertThat(watermarks.getLast().getSourcePartitions()).isEqualTo(8);
    assertThat(watermarks.getLast().getCompleteThrough())
        .isBetween(time("10:07:00"), time("10:09:00"));
  }

  @Test
  void whileANodeIsSilentNothingIsCertain() {
    startAt("10:30:00");
    heard("n1", time("10:58:00"));
    silentUntil("12:30:00");

    assertThat(intervals).isEmpty();
    assertThat(watermarks.getLast().getCompleteThrough()).isEqualTo(time("10:30:00"));

    // It was the node's connection: all that time it ran.
    waitUntil("12:35:00");
    assertThat(spans()).containsExactly("10:30-11:00", "11:00-12:00");
  }

  @Test
  void nothingIsCertainWhileEventsAreUnread() {
    frontier.read = false;
    startAt("10:30:00");
    waitUntil("12:30:00");
    assertThat(intervals).isEmpty();
    assertThat(watermarks).isEmpty();

    frontier.read = true;
    waitUntil("12:35:00");
    assertThat(spans()).containsExactly("10:30-11:00", "11:00-12:00");
  }

  @Test
  void theEndIsAskedForAgainWhenKafkaDoesNotTell() {
    frontier.end = CompletableFuture.failedFuture(new IllegalStateException("away"));
    waitUntil("10:10:00");
    assertThat(watermarks).isEmpty();

    frontier.end = CompletableFuture.completedFuture(0L);
    waitUntil("10:12:00");
    assertThat(watermarks).isNotEmpty();
  }

  @Test
  void whatCanNotBeFoldedIsPutAside() {
    sandbox =
        Evolution.evolve(
            sandbox,
            Examples.event(1, now, Optional.empty(), Examples.requested(Optional.empty())));
    happens(new Fact.SandboxStarted(false));
    send("sbx_2", new byte[] {1, 2, 3});

    assertThat(intervals).isEmpty();
    List<String> reasons =
        driver
            .createOutputTopic(
                Topic.DEAD_LETTERS.topicName(),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())
            .readValuesToList()
            .stream()
            .map(value -> ((DeadLetter) known(value)).getReason())
            .toList();
    assertThat(reasons).hasSize(2);
    assertThat(reasons.get(0)).contains("without having been asked for");
  }

  @Test
  void ofAnyHistoryTheNetIsItsFold() {
    Map<String, UsageInterval> expected = new HashMap<>();
    for (int i = 0; i < 200; i++) {
      String id = "sbx_" + i;
      List<Event> log = Histories.random(i);
      Optional<Meter> meter = Optional.empty();
      Sandbox state = new Sandbox.Absent();
      for (Event event : log) {
        state = Evolution.evolve(state, event);
        send(id, WireFormat.encode(EventWriter.write(id, event, state)));
        Metering.Step step = Metering.after(id, meter, event);
        meter = step.meter();
        for (Interval interval : step.intervals()) {
          UsageInterval record = (UsageInterval) UsageRecords.write(interval);
          expected.put(record.getIntervalId(), record);
        }
      }
    }
    drain();
    Map<String, UsageInterval> net = new HashMap<>();
    for (UsageInterval interval : intervals) {
      if (interval.getReverses() == null) {
        net.put(interval.getIntervalId(), interval);
      } else {
        net.remove(interval.getReverses());
      }
    }
    assertThat(net).isEqualTo(expected);
    try (var left = driver.<String, byte[]>getKeyValueStore(Names.METERS_STORE).all()) {
      assertThat(left.hasNext()).as("meters of sandboxes that are over").isFalse();
    }
  }

  private void startAt(String clock) {
    waitUntil(clock);
    happens(Examples.requested(Optional.empty()));
    happens(new Fact.SandboxStarted(false));
  }

  /** To {@code sbx_1}, now. */
  private void happens(Fact fact) {
    Event event = Examples.event(sandbox.version() + 1, now, Optional.empty(), fact);
    sandbox = Evolution.evolve(sandbox, event);
    send("sbx_1", WireFormat.encode(EventWriter.write("sbx_1", event, sandbox)));
    drain();
  }

  private void waitUntil(String clock) {
    while (now.isBefore(time(clock))) {
      pass();
      heard("n1", now);
    }
  }

  private void silentUntil(String clock) {
    while (now.isBefore(time(clock))) {
      pass();
    }
  }

  private void pass() {
    driver.advanceWallClockTime(TICK);
    now = now.plus(TICK);
    drain();
  }

  private void heard(String node, Instant at) {
    Resources resources = new Resources(8_000, 8L << 30, 100);
    Node status =
        new Node(
            0,
            Node.State.READY,
            1,
            new Heartbeat(
                node,
                "boot",
                "http://" + node,
                resources,
                new Resources(0, 0, 0),
                Set.of(),
                Map.of(),
                at,
                Map.of()));
    driver
        .createInputTopic(
            Topic.NODES.topicName(), new ByteArraySerializer(), new ByteArraySerializer())
        .pipeInput(
            node.getBytes(StandardCharsets.UTF_8), WireFormat.encode(NodeRecords.write(status)));
  }

  private void send(String key, byte[] value) {
    driver
        .createInputTopic(
            Topic.EVENTS.topicName(), new ByteArraySerializer(), new ByteArraySerializer())
        .pipeInput(new TestRecord<>(key.getBytes(StandardCharsets.UTF_8), value));
  }

  private void drain() {
    driver
        .createOutputTopic(
            Topic.USAGE.topicName(), new StringDeserializer(), new ByteArrayDeserializer())
        .readKeyValuesToList()
        .forEach(
            told -> {
              switch (known(told.value)) {
                case UsageInterval interval -> {
                  assertThat(told.key).isEqualTo(interval.getOrgId());
                  intervals.add(interval);
                }
                case UsageWatermark watermark -> watermarks.add(watermark);
                default -> throw new AssertionError("Neither interval nor watermark");
              }
            });
  }

  private List<String> spans() {
    return intervals.stream()
        .map(
            interval ->
                interval.getFrom().toString().substring(11, 16)
                    + "-"
                    + interval.getTo().toString().substring(11, 16))
        .toList();
  }

  private static SpecificRecord known(byte[] value) {
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(SpecificRecord record) -> record;
      case Decoded.Unknown _, Decoded.Malformed _ -> throw new AssertionError("Nobody can read it");
    };
  }

  private static Instant time(String clock) {
    return Instant.parse("2026-11-25T" + clock + "Z");
  }
}
