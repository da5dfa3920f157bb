package io.sandglass.engine.stream;

import io.sandglass.engine.audit.Ledger;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.Deadline;
import io.sandglass.engine.lifecycle.Decision;
import io.sandglass.engine.lifecycle.Rejection;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Status;
import io.sandglass.engine.wire.CommandReader;
import io.sandglass.engine.wire.Envelope;
import io.sandglass.engine.wire.Incoming;
import io.sandglass.engine.wire.Kept;
import io.sandglass.engine.wire.Receipt;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The single writer of its partition's sandboxes: commands, reports, deadlines and lost nodes all
 * come to it one after the other, and each is decided, folded, stored and told in one transaction.
 */
final class SandboxProcessor implements Processor<byte[], byte[], byte[], Outgoing> {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxProcessor.class);
  private static final Duration LOSS_INTERVAL = Duration.ofSeconds(1);

  private final Settings settings;
  private final Ports ports;
  private final CommandReader reader;

  private ProcessorContext<byte[], Outgoing> context;
  private KeyValueStore<String, Kept> sandboxes;
  private KeyValueStore<Integer, Ledger> ledgers;
  private DeadlineIndex deadlines;
  private Receipts receipts;
  private NodeDirectory nodes;
  private Placer placer;
  private Outbox outbox;
  private LossScan lossScan;
  private CatchUp catchUp;
  private Haste haste;

  SandboxProcessor(Settings settings, Ports ports) {
    this.settings = settings;
    this.ports = ports;
    this.reader = new CommandReader(settings.patience());
  }

  @Override
  public void init(ProcessorContext<byte[], Outgoing> context) {
    this.context = context;
    sandboxes = context.getStateStore(Names.SANDBOXES_STORE);
    ledgers = context.getStateStore(Names.LEDGER_STORE);
    deadlines = new DeadlineIndex(context.getStateStore(Names.DEADLINES_STORE));
    receipts = new Receipts(context.getStateStore(Names.RECEIPTS_STORE));
    nodes = new NodeDirectory(context.getStateStore(Names.NODES_STORE));
    placer = new Placer(nodes);
    outbox = new Outbox(context, nodes, ports.metrics());
    lossScan = new LossScan(sandboxes);
    TopicPartition commands =
        new TopicPartition(Topic.COMMANDS.topicName(), context.taskId().partition());
    catchUp = new CatchUp(ports.backlog(), commands, now());
    haste = new Haste(context, settings.commitInterval());
    context.schedule(settings.tick(), PunctuationType.WALL_CLOCK_TIME, _ -> fireDeadlines());
    context.schedule(settings.checkpoints(), PunctuationType.WALL_CLOCK_TIME, _ -> checkpoint());
    context.schedule(LOSS_INTERVAL, PunctuationType.WALL_CLOCK_TIME, _ -> noticeLostNodes());
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    Instant now = now();
    switch (reader.read(record.value())) {
      case Incoming.Unreadable(String reason) -> outbox.deadLetter(record, reason, now);
      case Incoming.Asked(Envelope envelope, Command.Request request) -> {
        if (isKeyedBy(envelope, record, now)) {
          request(record, envelope, request, now);
        }
      }
      case Incoming.Reported(Envelope envelope, Command.Report report) -> {
        if (isKeyedBy(envelope, record, now)) {
          report(record, envelope, report, now);
        }
      }
    }
    context.recordMetadata().ifPresent(source -> catchUp.processed(source.offset(), now));
  }

  /** A sandbox has one writer only as long as all that concerns it comes by one partition. */
  private boolean isKeyedBy(Envelope envelope, Record<byte[], byte[]> record, Instant now) {
    boolean keyed =
        Arrays.equals(record.key(), envelope.sandboxId().getBytes(StandardCharsets.UTF_8));
    if (!keyed) {
      outbox.deadLetter(record, "key is not the sandbox id " + envelope.sandboxId(), now);
    }
    return keyed;
  }

  private void request(
      Record<byte[], byte[]> record, Envelope envelope, Command.Request request, Instant now) {
    Optional<String> requestId = requestId(record, envelope);
    Optional<Receipt> known = receipts.find(envelope.commandId(), now);
    if (known.isPresent()) {
      answer(envelope, again(envelope, known.get(), now), now, requestId);
      return;
    }
    String id = envelope.sandboxId();
    Kept kept;
    Step step;
    try {
      kept = load(id);
      step = Step.take(kept.sandbox(), placer.place(request, kept.sandbox()), now);
    } catch (RuntimeException e) {
      deadLetter(record, e, now);
      return;
    }
    long version = settle(id, kept, step, requestId, now).version();
    Receipt receipt =
        switch (step.decision()) {
          case Decision.Accepted _ -> Receipt.accepted(envelope, version, now);
          case Decision.Rejected(Rejection code, String sentence) -> {
            ports.metrics().rejection(code);
            LOG.debug("rejected sandbox={} code={} sentence={}", id, code, sentence);
            yield Receipt.rejected(envelope, code, sentence, version, now);
          }
          // Words for reports and deadlines; to a request they mean that nothing had to change.
          case Decision.Ignored _, Decision.Disowned _ -> Receipt.accepted(envelope, version, now);
        };
    // Whether there is room does not depend on the question: asked again later, it is decided anew.
    if (!receipt.code().equals(Optional.of(Rejection.NO_CAPACITY))) {
      receipts.put(envelope.commandId(), receipt);
    }
    answer(envelope, receipt, now, requestId);
    if (step.asked().isPresent() || Status.of(step.after()) != Status.of(step.before())) {
      haste.isNeeded();
    }
  }

  /** Who waits for it is told at once; what nobody waits for shares a transaction with more. */
  private void answer(Envelope envelope, Receipt receipt, Instant now, Optional<String> requestId) {
    if (envelope.replyPartition().isPresent()) {
      outbox.outcome(envelope, receipt, now, requestId);
      haste.isNeeded();
    }
  }

  /** The same question gets the same answer; another question under its id gets none. */
  private static Receipt again(Envelope envelope, Receipt known, Instant now) {
    return known.fingerprint().equals(envelope.fingerprint())
        ? known
        : Receipt.rejected(
            envelope,
            Rejection.IDEMPOTENCY_CONFLICT,
            "Expected the request that this command id stood for, but got another one",
            known.version(),
            now);
  }

  private void report(
      Record<byte[], byte[]> record, Envelope envelope, Command.Report report, Instant now) {
    Optional<String> requestId = requestId(record, envelope);
    String id = envelope.sandboxId();
    Kept kept;
    Step step;
    try {
      kept = load(id);
      step = Step.take(kept.sandbox(), placer.place(report, kept.sandbox()), now);
    } catch (RuntimeException e) {
      deadLetter(record, e, now);
      return;
    }
    settle(id, kept, step, requestId, now);
    switch (step.decision()) {
      case Decision.Disowned(String why) -> {
        outbox.removal(id, report.origin(), why, now, requestId);
        haste.isNeeded();
      }
      case Decision.Ignored(String why) -> LOG.debug("ignored report sandbox={} why={}", id, why);
      case Decision.Rejected(Rejection code, String sentence) ->
          LOG.debug("rejected report sandbox={} code={} sentence={}", id, code, sentence);
      case Decision.Accepted _ -> {
        if (!(report instanceof Command.ExecutionEnded)) {
          haste.isNeeded();
        }
      }
    }
  }

  private void fireDeadlines() {
    Instant now = now();
    if (!catchUp.isOver(now)) {
      return;
    }
    Budget budget = budget();
    boolean[] changed = {false};
    deadlines.forEachDue(
        now, budget::isSpent, (id, deadline) -> changed[0] |= elapse(id, deadline, now));
    if (changed[0]) {
      haste.isNeeded();
    }
  }

  private boolean elapse(String id, Deadline deadline, Instant now) {
    Kept kept;
    Step step;
    try {
      kept = load(id);
      step = Step.take(kept.sandbox(), new Command.Elapse(deadline), now);
    } catch (RuntimeException e) {
      // The others that are due must not wait for ever behind this one.
      LOG.error("broken invariant sandbox={} deadline={}", id, deadline, e);
      deadlines.drop(id, deadline);
      return false;
    }
    settle(id, kept, step, Optional.empty(), now);
    if (step.changes().isEmpty() || Deadline.of(step.after()).contains(deadline)) {
      LOG.debug("dropped stale deadline sandbox={} deadline={}", id, deadline);
      deadlines.drop(id, deadline);
      return false;
    }
    ports.metrics().fired(Duration.between(deadline.due(), now));
    return true;
  }

  private void noticeLostNodes() {
    Instant now = now();
    if (!catchUp.isOver(now)) {
      return;
    }
    boolean[] changed = {false};
    lossScan.step(nodes.all(), budget(), (id, node) -> changed[0] |= loseNode(id, node, now));
    if (changed[0]) {
      haste.isNeeded();
    }
  }

  private boolean loseNode(String id, Node node, Instant now) {
    Kept kept = load(id);
    Step step = lost(kept.sandbox(), node, now);
    apply(id, kept.chain(), step, Optional.empty());
    return !step.changes().isEmpty();
  }

  private Step lost(Sandbox before, Node node, Instant now) {
    Instant heard = node.heartbeat().at();
    // By the node's own clock, which may be ahead.
    Instant aliveUntil = heard.isAfter(now) ? now : heard;
    Command lost = new Command.LoseNode(node.id(), aliveUntil, placer.elsewhere(before, node.id()));
    return Step.take(before, lost, now);
  }

  /**
   * Stores and tells what was decided; where that asks something of a lost node, the loss is said
   * again, for nobody will answer.
   *
   * @return the state that it leads to
   */
  private Sandbox settle(String id, Kept kept, Step step, Optional<String> requestId, Instant now) {
    ChainHash chain = apply(id, kept.chain(), step, requestId);
    Optional<Node> asked = step.asked().flatMap(nodes::find);
    if (asked.isEmpty() || asked.get().state() != Node.State.LOST) {
      return step.after();
    }
    Step loss = lost(step.after(), asked.get(), now);
    apply(id, chain, loss, requestId);
    return loss.after();
  }

  /**
   * Stores and tells what was decided.
   *
   * @param before the chain's hash that it follows
   * @return the chain's hash with it
   */
  private ChainHash apply(String id, ChainHash before, Step step, Optional<String> requestId) {
    if (step.changes().isEmpty()) {
      return before;
    }
    ChainHash chain = before;
    Ledger ledger = ledger();
    for (Step.Change change : step.changes()) {
      chain = outbox.event(id, change, chain, requestId);
      ledger = ledger.with(id, change.event().header().version(), chain);
      placer.note(change.event(), change.after());
    }
    sandboxes.put(id, new Kept(step.after(), chain));
    ledgers.put(partition(), ledger);
    deadlines.replace(id, Deadline.of(step.before()), Deadline.of(step.after()));
    return chain;
  }

  /** In one transaction with the events that it vouches for, so none can be without the other. */
  private void checkpoint() {
    Ledger ledger = ledger();
    ledger
        .checkpoint(partition(), now())
        .ifPresent(
            checkpoint -> {
              outbox.checkpoint(ports.key().sign(checkpoint));
              ledgers.put(partition(), ledger.afterCheckpoint());
            });
  }

  private Ledger ledger() {
    Ledger known = ledgers.get(partition());
    return known == null ? Ledger.EMPTY : known;
  }

  private int partition() {
    return context.taskId().partition();
  }

  private void deadLetter(Record<byte[], byte[]> record, RuntimeException e, Instant now) {
    LOG.error("broken invariant", e);
    outbox.deadLetter(record, "broken invariant: " + e, now);
  }

  private Kept load(String id) {
    Kept kept = sandboxes.get(id);
    return kept == null ? Kept.NOTHING : kept;
  }

  private Optional<String> requestId(Record<byte[], byte[]> record, Envelope envelope) {
    return Outbox.requestId(record.headers()).or(envelope::requestId);
  }

  private Budget budget() {
    return Budget.of(settings.timerBudget(), ports.nanoTime());
  }

  /** The one place where the wall clock enters. */
  private Instant now() {
    return Instant.ofEpochMilli(context.currentSystemTimeMs());
  }
}
