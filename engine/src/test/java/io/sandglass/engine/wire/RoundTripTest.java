package io.sandglass.engine.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.fleet.Heartbeat;
import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Spec;
import io.sandglass.engine.lifecycle.Stage;
import io.sandglass.engine.lifecycle.Tenure;
import io.sandglass.engine.usage.Meter;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.WireFormat;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.Test;

/** Everything survives the way through bytes, for random values of every type. */
class RoundTripTest {
  private static final int ROUNDS = 2_000;
  private static final long SEED = 20_260_101;

  private final RandomValues random = new RandomValues(SEED);
  private final Set<Class<?>> seen = new HashSet<>();

  @Test
  void requests() {
    for (int i = 0; i < ROUNDS; i++) {
      Envelope said = envelope();
      Patience patience = random.of(Patience.class);
      Command.Request command = asRead(said, patience, random.of(Command.Request.class));
      seen.add(command.getClass());
      byte[] bytes = WireFormat.encode(CommandWriter.write(said, command));
      assertThat(new CommandReader(patience).read(bytes))
          .isEqualTo(new Incoming.Asked(said, command));
    }
    assertThat(seen).containsExactlyInAnyOrder(Command.Request.class.getPermittedSubclasses());
  }

  @Test
  void reports() {
    for (int i = 0; i < ROUNDS; i++) {
      Envelope said = envelope();
      Command.Report report = asRead(said, random.of(Command.Report.class));
      seen.add(report.getClass());
      byte[] bytes = WireFormat.encode(CommandWriter.write(said, report));
      assertThat(new CommandReader(random.of(Patience.class)).read(bytes))
          .isEqualTo(new Incoming.Reported(said, report));
    }
    assertThat(seen).containsExactlyInAnyOrder(Command.Report.class.getPermittedSubclasses());
  }

  @Test
  void events() {
    for (int i = 0; i < ROUNDS; i++) {
      Event event = random.of(Event.class);
      seen.add(event.fact().getClass());
      String id = random.string();
      Sandbox after = after(event.fact());
      SpecificRecord record = EventWriter.write(id, event, after);
      assertThat(EventReader.read(throughBytes(record)))
          .isEqualTo(new EventReader.Recorded(id, event, EventWriter.told(after)));
    }
    assertThat(seen).containsExactlyInAnyOrder(Fact.class.getPermittedSubclasses());
  }

  @Test
  void meters() {
    for (int i = 0; i < ROUNDS; i++) {
      Meter meter = random.of(Meter.class);
      assertThat(StateCodec.decodeMeter(meter.subject().sandboxId(), StateCodec.encode(meter)))
          .isEqualTo(meter);
    }
  }

  @Test
  void states() {
    for (int i = 0; i < ROUNDS; i++) {
      Sandbox sandbox = random.of(Sandbox.class);
      seen.add(sandbox instanceof Sandbox.Live live ? live.stage().getClass() : sandbox.getClass());
      Kept kept = new Kept(sandbox, ChainHash.SANDBOX);
      assertThat(StateCodec.decodeKept(StateCodec.encode(kept))).isEqualTo(kept);
    }
    assertThat(seen)
        .containsAll(Arrays.asList(Stage.class.getPermittedSubclasses()))
        .contains(Sandbox.Absent.class, Sandbox.Ended.class);
  }

  @Test
  void receipts() {
    for (int i = 0; i < ROUNDS; i++) {
      Receipt receipt = random.of(Receipt.class);
      assertThat(StateCodec.decodeReceipt(StateCodec.encode(receipt))).isEqualTo(receipt);
    }
  }

  @Test
  void nodes() {
    for (int i = 0; i < ROUNDS; i++) {
      Node drawn = random.of(Node.class);
      Heartbeat heartbeat = named(drawn.heartbeat(), "node-" + i);
      Node node = new Node(drawn.slot(), drawn.state(), drawn.epoch(), heartbeat);
      assertThat(NodeRecords.readNode(WireFormat.encode(NodeRecords.write(node)))).isEqualTo(node);
    }
  }

  /** A state that the fact could have led to, as far as its record tells of it. */
  private Sandbox after(Fact fact) {
    Sandbox.Live live = random.of(Sandbox.Live.class);
    Tenure drawn = live.tenure();
    Tenure tenure =
        switch (fact) {
          case Fact.SandboxRequested f -> on(f.node(), 1, drawn);
          case Fact.PlacementChanged f -> on(f.node(), f.incarnation(), drawn);
          default -> drawn;
        };
    return new Sandbox.Live(tenure, live.stage(), live.version());
  }

  private static Tenure on(String node, int incarnation, Tenure tenure) {
    return new Tenure(
        tenure.org(),
        tenure.spec(),
        node,
        incarnation,
        tenure.egress(),
        tenure.expiresAt(),
        tenure.lastActivityAt(),
        tenure.inFlight());
  }

  private Envelope envelope() {
    return random.of(Envelope.class);
  }

  /** The command with what the envelope and the engine, not its sender, say of it. */
  private static Command.Request asRead(
      Envelope envelope, Patience patience, Command.Request drawn) {
    Command.Caller caller = caller(envelope, drawn, Optional.of(envelope.org()));
    return switch (drawn) {
      case Command.Create c -> {
        Optional<String> claimedOn = c.node().filter(_ -> c.claimed());
        yield new Command.Create(
            caller, with(c.spec(), patience, envelope), claimedOn, claimedOn.isPresent());
      }
      case Command.KeepAlive c -> new Command.KeepAlive(caller, c.timeout());
      case Command.Suspend _ -> new Command.Suspend(caller);
      case Command.Wake _ -> new Command.Wake(caller);
      case Command.Destroy _ -> new Command.Destroy(caller);
      case Command.ChangeEgress c -> new Command.ChangeEgress(caller, c.egress());
      case Command.BeginExecution c ->
          new Command.BeginExecution(
              caller, c.executionId(), c.kind(), c.subject(), c.timeout(), c.thawed());
      case Command.Touch c -> new Command.Touch(caller, c.what(), c.thawed());
      case Command.NoteRefusal c ->
          new Command.NoteRefusal(
              caller,
              envelope.sandboxId().equals(envelope.org())
                  ? Command.Subject.ORGANIZATION
                  : Command.Subject.SANDBOX,
              c.refusal());
    };
  }

  private static Command.Report asRead(Envelope envelope, Command.Report drawn) {
    Command.Caller caller = caller(envelope, drawn, Optional.empty());
    Command.Origin origin = drawn.origin();
    return switch (drawn) {
      case Command.Started started -> new Command.Started(caller, origin, started.warm());
      case Command.StartFailed r -> new Command.StartFailed(caller, origin, r.detail());
      case Command.Refused r -> new Command.Refused(caller, origin, r.detail(), Optional.empty());
      case Command.FellAsleep r -> new Command.FellAsleep(caller, origin, r.depth());
      case Command.SuspendFailed r -> new Command.SuspendFailed(caller, origin, r.detail());
      case Command.Resumed _ -> new Command.Resumed(caller, origin);
      case Command.ResumeFailed r -> new Command.ResumeFailed(caller, origin, r.detail());
      case Command.Exited r ->
          new Command.Exited(caller, origin, r.exitCode(), r.oomKilled(), r.detail());
      case Command.Gone r -> new Command.Gone(caller, origin, r.detail());
      case Command.Observed r -> new Command.Observed(caller, origin, r.phase());
      case Command.MemoryWanted _ -> new Command.MemoryWanted(caller, origin);
      case Command.ExecutionEnded r ->
          new Command.ExecutionEnded(caller, origin, r.executionId(), r.result());
    };
  }

  private static Command.Caller caller(Envelope envelope, Command drawn, Optional<String> org) {
    return new Command.Caller(
        org, drawn.caller().actor(), envelope.requestId(), Optional.of(envelope.commandId()));
  }

  private static Spec with(Spec spec, Patience patience, Envelope envelope) {
    return new Spec(
        spec.template(),
        spec.mode(),
        spec.size(),
        spec.egress(),
        spec.envNames(),
        spec.envSealed(),
        spec.metadata(),
        patience,
        envelope.fingerprint());
  }

  private static Heartbeat named(Heartbeat heartbeat, String id) {
    return new Heartbeat(
        id,
        heartbeat.bootId(),
        heartbeat.dataPlaneUrl(),
        heartbeat.capacity(),
        heartbeat.used(),
        heartbeat.images(),
        heartbeat.labels(),
        heartbeat.at(),
        heartbeat.warm());
  }

  private static SpecificRecord throughBytes(SpecificRecord record) {
    return switch (WireFormat.decode(WireFormat.encode(record))) {
      case Decoded.Known(SpecificRecord read) -> read;
      case Decoded.Unknown _, Decoded.Malformed _ -> throw new AssertionError(List.of(record));
    };
  }
}
