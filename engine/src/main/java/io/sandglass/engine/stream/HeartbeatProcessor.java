package io.sandglass.engine.stream;

import io.sandglass.engine.fleet.Heartbeat;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.fleet.Register;
import io.sandglass.engine.fleet.Vigil;
import io.sandglass.engine.wire.NodeRecords;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The single writer of the nodes: registers them, and declares lost who has been silent for {@code
 * node_timeout}, told by {@link Vigil}.
 */
final class HeartbeatProcessor implements Processor<byte[], byte[], byte[], Outgoing> {
  /** Pulses in {@code node_timeout}. */
  static final int PULSES = 5;

  private static final Logger LOG = LoggerFactory.getLogger(HeartbeatProcessor.class);
  private static final byte[] PULSE_KEY = "engine".getBytes(StandardCharsets.UTF_8);

  private final Settings settings;
  private final Ports ports;
  private final Vigil vigil = new Vigil(PULSES);
  private final Set<String> turnedAway = new HashSet<>();

  private ProcessorContext<byte[], Outgoing> context;
  private NodeDirectory nodes;
  private KeyValueStore<String, byte[]> store;

  /** The pulse that is under way; there is never more than one. */
  private Optional<Instant> pulse = Optional.empty();

  HeartbeatProcessor(Settings settings, Ports ports) {
    this.settings = settings;
    this.ports = ports;
  }

  @Override
  public void init(ProcessorContext<byte[], Outgoing> context) {
    this.context = context;
    store = context.getStateStore(Names.FLEET_STORE);
    nodes = new NodeDirectory(store);
    context.schedule(
        settings.nodeTimeout().dividedBy(PULSES),
        PunctuationType.WALL_CLOCK_TIME,
        _ -> sendPulse());
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    switch (NodeRecords.readBeat(record.value())) {
      case NodeRecords.Beat.Heard(Heartbeat heartbeat) -> heard(heartbeat);
      case NodeRecords.Beat.Pulsed(Instant at) -> pulsed(at);
      case NodeRecords.Beat.Unreadable(String reason) ->
          DeadLetters.send(context, Names.DEAD_HEARTBEATS, record, reason, now(), ports.metrics());
    }
  }

  private void heard(Heartbeat heartbeat) {
    Collection<Node> known = nodes.all();
    Optional<Node> admitted = Register.admit(known, heartbeat, settings.slots());
    if (admitted.isEmpty()) {
      if (turnedAway.add(heartbeat.nodeId())) {
        LOG.warn(
            "no slot left for node={} slots={}: add partitions to the orders topic",
            heartbeat.nodeId(),
            settings.slots());
      }
      return;
    }
    Node node = admitted.get();
    boolean news =
        known.stream().noneMatch(n -> n.id().equals(node.id()) && n.epoch() == node.epoch());
    if (news) {
      LOG.info(
          "node is there node={} slot={} epoch={} boot={}",
          node.id(),
          node.slot(),
          node.epoch(),
          heartbeat.bootId());
    }
    vigil.heard(node.id());
    write(node);
  }

  /** A pulse of a former life, or of another engine, tells nothing of this one's silence. */
  private void pulsed(Instant at) {
    if (!pulse.equals(Optional.of(at))) {
      return;
    }
    pulse = Optional.empty();
    for (Node silent : vigil.pulse(nodes.all())) {
      LOG.warn(
          "node is lost node={} slot={} last_heartbeat={}",
          silent.id(),
          silent.slot(),
          silent.heartbeat().at());
      write(silent.lost());
    }
  }

  private void sendPulse() {
    if (pulse.isPresent()) {
      return;
    }
    Instant now = now();
    pulse = Optional.of(now);
    context.forward(
        new Record<>(
            PULSE_KEY,
            Outgoing.byKey(NodeRecords.pulse(now)),
            now.toEpochMilli(),
            new RecordHeaders()),
        Names.PULSES);
    context.commit();
  }

  private void write(Node node) {
    Outgoing status = Outgoing.byKey(NodeRecords.write(node));
    store.put(node.id(), status.value().get());
    context.forward(
        new Record<>(
            node.id().getBytes(StandardCharsets.UTF_8),
            status,
            now().toEpochMilli(),
            new RecordHeaders()),
        Names.NODE_STATUSES);
  }

  private Instant now() {
    return Instant.ofEpochMilli(context.currentSystemTimeMs());
  }
}
