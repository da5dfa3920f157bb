package io.sandglass.engine.stream;

import io.sandglass.engine.audit.Checkpoint;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.wire.CheckpointRecords;
import io.sandglass.engine.wire.Envelope;
import io.sandglass.engine.wire.EventWriter;
import io.sandglass.engine.wire.Letters;
import io.sandglass.engine.wire.Receipt;
import io.sandglass.schemas.ChainHash;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All that the sandbox processor sends, and where to. */
final class Outbox {
  static final String REQUEST_ID = "x-request-id";

  private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

  private final ProcessorContext<byte[], Outgoing> context;
  private final NodeDirectory nodes;
  private final EngineMetrics metrics;
  private final int partition;

  Outbox(ProcessorContext<byte[], Outgoing> context, NodeDirectory nodes, EngineMetrics metrics) {
    this.context = context;
    this.nodes = nodes;
    this.metrics = metrics;
    this.partition = context.taskId().partition();
  }

  /**
   * A fact, for everybody, and as an order for the node that has to act on it.
   *
   * @param before the chain's hash that it follows
   * @param requestId of the request that brought it about
   * @return the chain's hash with it
   */
  ChainHash event(
      String sandboxId, Step.Change change, ChainHash before, Optional<String> requestId) {
    SpecificRecord body = EventWriter.write(sandboxId, change.event(), change.after());
    Event.Header header = change.event().header();
    Headers headers = headers(requestId);
    // What is hashed are the very bytes that are sent; and where to is no question of the key, for
    // a checkpoint tells of all that this task wrote.
    Outgoing event = Outgoing.to(Optional.of(partition), body);
    ChainHash chain = before.then(key(sandboxId), event.value().get());
    Headers chained = new RecordHeaders(headers).add(ChainHash.HEADER, chain.toBytes());
    send(Names.EVENTS, sandboxId, event, header.at(), chained);
    change.asked().ifPresent(node -> order(sandboxId, node, event, header.at(), headers));
    String type = body.getSchema().getName();
    metrics.event(type);
    LOG.info(
        "event sandbox={} version={} type={} cause={} actor={} request_id={}",
        sandboxId,
        header.version(),
        type,
        header.cause(),
        header.actor(),
        requestId.orElse("-"));
    return chain;
  }

  void checkpoint(Checkpoint.Signed signed) {
    Checkpoint checkpoint = signed.checkpoint();
    LOG.debug("checkpoint partition={} events={}", partition, checkpoint.events());
    send(
        Names.CHECKPOINTS,
        Integer.toString(partition),
        Outgoing.to(Optional.of(partition), CheckpointRecords.write(signed)),
        checkpoint.at(),
        new RecordHeaders());
  }

  /** The order to remove a container that was found and does not belong. */
  void removal(
      String sandboxId, Command.Origin found, String why, Instant at, Optional<String> requestId) {
    LOG.info(
        "removal sandbox={} incarnation={} node={} why={}",
        sandboxId,
        found.incarnation(),
        found.node(),
        why);
    Outgoing body = Outgoing.byKey(Letters.removal(sandboxId, found, why));
    order(sandboxId, found.node(), body, at, headers(requestId));
  }

  void outcome(Envelope envelope, Receipt receipt, Instant at, Optional<String> requestId) {
    send(
        Names.OUTCOMES,
        envelope.sandboxId(),
        Outgoing.to(envelope.replyPartition(), Letters.outcome(envelope, receipt)),
        at,
        headers(requestId));
  }

  /** What could not be processed, just as it came. */
  void deadLetter(Record<byte[], byte[]> record, String reason, Instant at) {
    DeadLetters.send(context, Names.DEAD_COMMANDS, record, reason, at, metrics);
  }

  private void order(String sandboxId, String nodeId, Outgoing order, Instant at, Headers headers) {
    Optional<Integer> slot = nodes.find(nodeId).map(Node::slot);
    if (slot.isEmpty()) {
      metrics.unroutable();
      LOG.warn("order for an unknown node sandbox={} node={}", sandboxId, nodeId);
      return;
    }
    send(Names.ORDERS, sandboxId, new Outgoing(order.value(), slot), at, headers);
  }

  private void send(String sink, String key, Outgoing outgoing, Instant at, Headers headers) {
    context.forward(new Record<>(key(key), outgoing, at.toEpochMilli(), headers), sink);
  }

  private static byte[] key(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The request id that came with a record. */
  static Optional<String> requestId(Headers headers) {
    Header header = headers.lastHeader(REQUEST_ID);
    return header == null
        ? Optional.empty()
        : Optional.of(new String(header.value(), StandardCharsets.UTF_8));
  }

  private static Headers headers(Optional<String> requestId) {
    Headers headers = new RecordHeaders();
    requestId.ifPresent(id -> headers.add(REQUEST_ID, id.getBytes(StandardCharsets.UTF_8)));
    return headers;
  }
}
