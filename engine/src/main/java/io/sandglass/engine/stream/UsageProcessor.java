package io.sandglass.engine.stream;

import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.usage.Interval;
import io.sandglass.engine.usage.Meter;
import io.sandglass.engine.usage.Metering;
import io.sandglass.engine.wire.EventReader;
import io.sandglass.engine.wire.StateCodec;
import io.sandglass.engine.wire.UnreadableException;
import io.sandglass.engine.wire.UsageRecords;
import io.sandglass.schemas.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Meters the sandboxes of one partition: tells intervals as events end them, and in rounds closes
 * the hours of those that go on and tells up to when everything is told.
 *
 * <p>A round notes the time and when each node was last heard of, waits for {@code settle}, asks
 * where the partition ends, reads that far, and only then takes what it noted for certain. What the
 * engine decided before the round began has been written and read by then; what it decides later
 * can reach back to a node's last heartbeat or to an expiry, and both are known.
 */
final class UsageProcessor implements Processor<byte[], byte[], byte[], Outgoing> {

  /**
   * @param settle the longest that an event takes from being decided to being in the log, and that
   *     the clocks of this process and the engine's may differ
   * @param partitions how many the topic of events has
   */
  record Settings(Duration settle, int partitions) {}

  /** What was known when a round began. */
  private record Round(
      Instant began, Map<String, Instant> heard, Optional<CompletableFuture<Long>> end) {}

  private static final Logger LOG = LoggerFactory.getLogger(UsageProcessor.class);
  private static final Duration LONGEST_TICK = Duration.ofSeconds(1);

  private final Settings settings;
  private final Frontier frontier;
  private final EngineMetrics metrics;

  private ProcessorContext<byte[], Outgoing> context;
  private KeyValueStore<String, byte[]> meters;
  private NodeDirectory nodes;
  private TopicPartition source;
  private long processed = -1;
  private Instant complete = Instant.EPOCH;
  private Round round;

  UsageProcessor(Settings settings, Frontier frontier, EngineMetrics metrics) {
    this.settings = settings;
    this.frontier = frontier;
    this.metrics = metrics;
  }

  @Override
  public void init(ProcessorContext<byte[], Outgoing> context) {
    this.context = context;
    meters = context.getStateStore(Names.METERS_STORE);
    nodes = new NodeDirectory(context.getStateStore(Names.NODES_STORE));
    source = new TopicPartition(Topic.EVENTS.topicName(), context.taskId().partition());
    round = begin();
    Duration tick =
        settings.settle().compareTo(LONGEST_TICK) < 0 ? settings.settle() : LONGEST_TICK;
    context.schedule(tick, PunctuationType.WALL_CLOCK_TIME, _ -> proceed());
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    try {
      EventReader.Recorded recorded = EventReader.require(record.value());
      if (Metering.concerns(recorded.event().fact())) {
        meter(recorded);
      }
    } catch (UnreadableException | BrokenHistoryException e) {
      DeadLetters.send(context, Names.DEAD_EVENTS, record, e.getMessage(), now(), metrics);
    }
    context.recordMetadata().ifPresent(metadata -> processed = metadata.offset());
  }

  /** What can't be folded must neither stop the others' metering nor be passed over in silence. */
  private static final class BrokenHistoryException extends Exception {
    private static final long serialVersionUID = 1L;

    BrokenHistoryException(IllegalStateException cause) {
      super("usage can't be computed: " + cause.getMessage(), cause);
    }
  }

  private void meter(EventReader.Recorded recorded) throws BrokenHistoryException {
    String id = recorded.sandboxId();
    byte[] stored = meters.get(id);
    Optional<Meter> before =
        stored == null ? Optional.empty() : Optional.of(StateCodec.decodeMeter(id, stored));
    Metering.Step step;
    try {
      step = Metering.after(id, before, recorded.event());
    } catch (IllegalStateException e) {
      throw new BrokenHistoryException(e);
    }
    if (step.meter().isEmpty()) {
      meters.delete(id);
    } else if (!step.meter().equals(before)) {
      meters.put(id, StateCodec.encode(step.meter().get()));
    }
    tell(step.intervals(), recorded.event().header().at());
  }

  private Round begin() {
    return new Round(
        now(),
        nodes.all().stream()
            .collect(Collectors.toUnmodifiableMap(Node::id, node -> node.heartbeat().at())),
        Optional.empty());
  }

  private void proceed() {
    if (round.end().isEmpty()) {
      if (!now().isBefore(round.began().plus(settings.settle()))) {
        round = new Round(round.began(), round.heard(), Optional.of(ask()));
      }
      return;
    }
    CompletableFuture<Long> end = round.end().get();
    if (end.isCompletedExceptionally()) {
      LOG.warn("asking again where the events end partition={}", source.partition());
      round = new Round(round.began(), round.heard(), Optional.of(ask()));
    } else if (end.isDone() && frontier.isRead(source, end.join(), processed)) {
      conclude();
      round = begin();
    }
  }

  private CompletableFuture<Long> ask() {
    return frontier.end(source).toCompletableFuture();
  }

  private void conclude() {
    Instant through = round.began();
    try (KeyValueIterator<String, byte[]> all = meters.all()) {
      while (all.hasNext()) {
        KeyValue<String, byte[]> entry = all.next();
        Meter meter = StateCodec.decodeMeter(entry.key, entry.value);
        Instant heard = round.heard().getOrDefault(meter.node(), Instant.EPOCH);
        Instant certain = Metering.certain(meter, round.began(), heard);
        Metering.Step step = Metering.closeHours(meter, certain);
        if (!step.intervals().isEmpty()) {
          meters.put(entry.key, StateCodec.encode(step.meter().orElseThrow()));
          tell(step.intervals(), round.began());
        }
        Instant told =
            step.meter().flatMap(Meter::running).map(Meter.Charge::closed).orElse(through);
        through = told.isBefore(through) ? told : through;
      }
    }
    if (through.isAfter(complete)) {
      complete = through;
      context.forward(
          new Record<>(
              null,
              Outgoing.byKey(
                  UsageRecords.watermark(source.partition(), settings.partitions(), through)),
              through.toEpochMilli(),
              new RecordHeaders()),
          Names.USAGE);
    }
    context.commit();
  }

  private void tell(List<Interval> intervals, Instant at) {
    for (Interval interval : intervals) {
      if (interval.from().isBefore(complete)) {
        metrics.lateUsage();
        LOG.error(
            "usage told as complete changes sandbox={} interval={} from={} complete={}",
            interval.subject().sandboxId(),
            interval.id(),
            interval.from(),
            complete);
      }
      context.forward(
          new Record<>(
              interval.subject().org().getBytes(StandardCharsets.UTF_8),
              Outgoing.byKey(UsageRecords.write(interval)),
              at.toEpochMilli(),
              new RecordHeaders()),
          Names.USAGE);
    }
  }

  private Instant now() {
    return Instant.ofEpochMilli(context.currentSystemTimeMs());
  }
}
