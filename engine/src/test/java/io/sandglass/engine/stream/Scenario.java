package io.sandglass.engine.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.audit.Ledger;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.lifecycle.Evolution;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Status;
import io.sandglass.engine.wire.CheckpointRecords;
import io.sandglass.engine.wire.EventReader;
import io.sandglass.engine.wire.Kept;
import io.sandglass.engine.wire.NodeRecords;
import io.sandglass.engine.wire.Receipt;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.CommandOutcome;
import io.sandglass.schemas.DeadLetter;
import io.sandglass.schemas.RemoveContainer;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * A story of the engine: commands and reports go in, time passes, nodes come and go, the engine
 * itself dies and comes back with nothing but what it has told.
 */
final class Scenario implements AutoCloseable {
  static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration BEAT = Duration.ofSeconds(2);

  private final LongSupplier nanoTime;
  private final int slots;
  private Rig rig;
  private Instant now = START;
  private Instant lastBeat = START;
  private int commands;
  private OptionalLong lastWaiting = OptionalLong.empty();

  private final Map<String, Beats> alive = new LinkedHashMap<>();
  private final Map<String, Node> nodes = new LinkedHashMap<>();
  private final List<Rig.Sent> events = new ArrayList<>();
  private final List<Rig.Sent> orders = new ArrayList<>();
  private final List<Rig.Sent> outcomes = new ArrayList<>();
  private final List<Rig.Sent> checkpoints = new ArrayList<>();
  private final List<Rig.Sent> deadLetters = new ArrayList<>();

  private Scenario(LongSupplier nanoTime, int slots) {
    this.nanoTime = nanoTime;
    this.slots = slots;
    this.rig = life();
  }

  /** An engine with one node, {@code n1}. */
  static Scenario scenario() {
    return bare().node("n1");
  }

  /** An engine without nodes. */
  static Scenario bare() {
    return new Scenario(() -> 0, Rig.SLOTS);
  }

  /** One whose budget is measured by this. */
  static Scenario timedBy(LongSupplier nanoTime) {
    return new Scenario(nanoTime, Rig.SLOTS).node("n1");
  }

  private Rig life() {
    OptionalLong waiting = lastWaiting;
    return new Rig(now, _ -> CompletableFuture.completedFuture(waiting), nanoTime, slots);
  }

  // ---- what happens ----

  Scenario node(String id) {
    return node(id, beats -> {});
  }

  Scenario node(String id, Consumer<Beats> as) {
    Beats beats = new Beats(id);
    as.accept(beats);
    alive.put(id, beats);
    return beat(id);
  }

  Scenario beat(String id) {
    return pipe(Topic.HEARTBEATS, id, alive.get(id).beat(now), null);
  }

  /** The node goes silent. */
  Scenario silence(String id) {
    alive.remove(id);
    return this;
  }

  Scenario create(String id) {
    return send(Orders.create(id));
  }

  Scenario running(String id) {
    return create(id).started(id);
  }

  /** The node that holds the sandbox says that it runs. */
  Scenario started(String id) {
    return report(
        id, (meta, origin) -> new io.sandglass.schemas.ReportStarted(meta, origin, false));
  }

  Scenario gone(String id) {
    return report(id, (meta, origin) -> new io.sandglass.schemas.ReportGone(meta, origin, "gone"));
  }

  Scenario refused(String id) {
    return report(
        id, (meta, origin) -> new io.sandglass.schemas.ReportRefused(meta, origin, "no room"));
  }

  /** A report of the node that holds the sandbox, answering the last order. */
  Scenario report(String id, Orders.Reporting reporting) {
    return send(Orders.report(id, lastOrder(id), reporting));
  }

  /** The newest event of the sandbox that a node has to act on. */
  io.sandglass.schemas.EventMeta lastOrder(String id) {
    return Orders.meta(
        orders(id).stream()
            .filter(sent -> !(sent.body() instanceof RemoveContainer))
            .toList()
            .getLast());
  }

  Scenario destroy(String id) {
    return send(Orders.destroy(id));
  }

  Scenario keepAlive(String id, Duration timeout) {
    return send(Orders.keepAlive(id, timeout));
  }

  /** Sends a command under a new command id. */
  Scenario send(Orders.Command command) {
    return send(command, "cmd-" + ++commands);
  }

  Scenario send(Orders.Command command, String commandId) {
    SpecificRecord record = command.record(commandId, now);
    return pipe(Topic.COMMANDS, command.sandboxId(), record, "req-" + commandId);
  }

  Scenario sendBytes(Topic topic, String key, byte[] value) {
    rig.send(topic, key.getBytes(StandardCharsets.UTF_8), value, new RecordHeaders());
    return drain();
  }

  private Scenario pipe(Topic topic, String key, SpecificRecord record, String requestId) {
    rig.send(topic, key, record, requestId);
    return drain();
  }

  /**
   * Time passes, while the living nodes go on beating. It stops wherever something comes due: the
   * driver runs a timer once, however far the clock is moved, and stores all it has each time.
   */
  Scenario advance(Duration duration) {
    Instant end = now.plus(duration);
    while (now.isBefore(end)) {
      Instant nextBeat = lastBeat.plus(BEAT);
      Instant next = nextBeat.isBefore(end) ? nextBeat : end;
      for (Instant due : rig.dueTimes()) {
        next = due.isAfter(now) && due.isBefore(next) ? due : next;
      }
      rig.advance(Duration.between(now, next));
      now = next;
      drain();
      if (!now.isBefore(nextBeat)) {
        lastBeat = now;
        List.copyOf(alive.keySet()).forEach(this::beat);
      }
    }
    return this;
  }

  /** The engine dies. Time passes without it. */
  Scenario down(Duration duration) {
    rig.close();
    rig = null;
    now = now.plus(duration);
    return this;
  }

  /** It comes back, and finds this many commands waiting that it has yet to read. */
  Scenario up(int waiting) {
    lastWaiting = waiting == 0 ? OptionalLong.empty() : OptionalLong.of(waiting - 1);
    lastBeat = now;
    rig = life();
    rebuild(rig);
    return drain();
  }

  /**
   * Another engine takes over, with stores made from the emitted events alone, after these were
   * found to be the same as the stores of the one that dies.
   */
  Scenario reboot() {
    Map<String, Kept> sandboxes = rig.allSandboxes();
    Ledger ledger = rig.ledgers().get(0);
    var deadlines = rig.allDeadlines();
    down(Duration.ZERO).up(0);
    assertThat(rig.allSandboxes()).isEqualTo(sandboxes);
    assertThat(rig.allDeadlines()).isEqualTo(deadlines);
    assertThat(rig.ledgers().get(0)).isEqualTo(ledger);
    return this;
  }

  private void rebuild(Rig life) {
    nodes.values().forEach(life::restore);
    Map<String, Kept> folded = new HashMap<>();
    Ledger ledger = Ledger.EMPTY;
    for (Rig.Sent sent : events) {
      EventReader.Recorded recorded = EventReader.read(sent.body());
      String id = recorded.sandboxId();
      Kept before = folded.getOrDefault(id, Kept.NOTHING);
      Sandbox after = Evolution.evolve(before.sandbox(), recorded.event());
      ChainHash chain = before.chain().then(sent.key().getBytes(UTF_8), sent.value().get());
      assertThat(sent.chain()).contains(chain);
      folded.put(id, new Kept(after, chain));
      ledger = ledger.with(id, after.version(), chain);
      rebuildReceipt(life, recorded, sent.body());
    }
    folded.forEach(life::restore);
    for (Rig.Sent sent : checkpoints) {
      var checkpoint = CheckpointRecords.read(sent.body()).checkpoint();
      ledger =
          new Ledger(
              ledger.events(),
              ledger.head(),
              ledger.last(),
              checkpoint.sequence(),
              checkpoint.events());
    }
    if (ledger.events() > 0) {
      life.ledgers().put(0, ledger);
    }
  }

  /** What was accepted and changed something is in the log, and so is its receipt. */
  private static void rebuildReceipt(Rig life, EventReader.Recorded recorded, SpecificRecord body) {
    var header = recorded.event().header();
    if (header.cause() == io.sandglass.engine.lifecycle.Cause.COMMAND) {
      Optional<String> fingerprint =
          body instanceof io.sandglass.schemas.SandboxRequested requested
              ? Optional.ofNullable(requested.getFingerprint())
              : Optional.empty();
      life.receipts()
          .put(
              header.commandId().orElseThrow(),
              new Receipt(
                  Optional.empty(), Optional.empty(), header.version(), header.at(), fingerprint),
              header.at().toEpochMilli());
    }
  }

  private Scenario drain() {
    events.addAll(rig.drain(Topic.EVENTS));
    checkpoints.addAll(rig.drain(Topic.CHECKPOINTS));
    orders.addAll(rig.drain(Topic.ORDERS));
    outcomes.addAll(rig.drain(Topic.OUTCOMES));
    deadLetters.addAll(rig.drain(Topic.DEAD_LETTERS));
    for (Rig.Sent sent : rig.drain(Topic.NODES)) {
      nodes.put(sent.key(), NodeRecords.readNode(WireFormat.encode(sent.body())));
    }
    return this;
  }

  // ---- what is seen ----

  Instant now() {
    return now;
  }

  Rig rig() {
    return rig;
  }

  Node nodeStatus(String id) {
    return nodes.get(id);
  }

  Map<String, Node> nodeStatuses() {
    return nodes;
  }

  Status status(String id) {
    Kept kept = rig.sandboxes().get(id);
    return Status.of(kept == null ? new Sandbox.Absent() : kept.sandbox());
  }

  Sandbox.Live live(String id) {
    return (Sandbox.Live) rig.sandboxes().get(id).sandbox();
  }

  List<Rig.Sent> events(String id) {
    return events.stream().filter(sent -> sent.key().equals(id)).toList();
  }

  List<Rig.Sent> events() {
    return events;
  }

  List<Rig.Sent> checkpoints() {
    return checkpoints;
  }

  List<Rig.Sent> orders(String id) {
    return orders.stream().filter(sent -> sent.key().equals(id)).toList();
  }

  CommandOutcome outcome() {
    return (CommandOutcome) outcomes.getLast().body();
  }

  Rig.Sent lastOutcome() {
    return outcomes.getLast();
  }

  int outcomes() {
    return outcomes.size();
  }

  List<DeadLetter> deadLetters() {
    return deadLetters.stream().map(sent -> (DeadLetter) sent.body()).toList();
  }

  // ---- what must be so ----

  /** The sandbox's whole history by the names of its events. */
  Scenario expect(String id, String... types) {
    assertThat(events(id))
        .extracting(sent -> sent.body().getSchema().getName())
        .isEqualTo(List.of(types));
    return this;
  }

  Scenario expect(String id, Status status) {
    assertThat(status(id)).isEqualTo(status);
    return this;
  }

  Scenario expectAccepted() {
    assertThat(outcome().getAccepted()).as("%s", outcome()).isTrue();
    return this;
  }

  Scenario expectRejected(String code) {
    assertThat(outcome().getAccepted()).as("%s", outcome()).isFalse();
    assertThat(outcome().getCode()).isEqualTo(code);
    return this;
  }

  Scenario expect(Consumer<Scenario> assertion) {
    assertion.accept(this);
    return this;
  }

  @Override
  public void close() {
    if (rig != null) {
      rig.close();
    }
  }
}
