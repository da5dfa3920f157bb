package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.ExecutionResult;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Refusal;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Spec;
import io.sandglass.engine.lifecycle.Status;
import io.sandglass.engine.lifecycle.Tenure;
import io.sandglass.schemas.ActivityRecorded;
import io.sandglass.schemas.EgressChanged;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.ExecutionFinished;
import io.sandglass.schemas.ExecutionStarted;
import io.sandglass.schemas.PlacementChanged;
import io.sandglass.schemas.RequestRefused;
import io.sandglass.schemas.ResumeFailed;
import io.sandglass.schemas.ResumeRequested;
import io.sandglass.schemas.SandboxEnded;
import io.sandglass.schemas.SandboxRequested;
import io.sandglass.schemas.SandboxResumed;
import io.sandglass.schemas.SandboxStarted;
import io.sandglass.schemas.SandboxSuspended;
import io.sandglass.schemas.StopRequested;
import io.sandglass.schemas.SuspendFailed;
import io.sandglass.schemas.SuspendRequested;
import io.sandglass.schemas.TimeoutExtended;
import org.apache.avro.specific.SpecificRecord;

/** Writes facts. */
public final class EventWriter {
  private EventWriter() {}

  /**
   * The event's record.
   *
   * @param after the state that the event led to
   */
  public static SpecificRecord write(String sandboxId, Event event, Sandbox after) {
    EventMeta meta = meta(sandboxId, event.header(), after);
    return switch (event.fact()) {
      case Fact.SandboxRequested fact -> requested(meta, fact);
      case Fact.PlacementChanged fact -> {
        Tenure tenure = tenure(after);
        yield new PlacementChanged(
            meta, Specs.write(tenure.spec(), tenure.egress()), fact.leftNode(), fact.detail());
      }
      case Fact.SandboxStarted fact -> new SandboxStarted(meta, fact.warm());
      case Fact.SuspendRequested fact ->
          new SuspendRequested(
              meta, Codes.of(fact.depth()), Codes.of(fact.reason()), fact.attempt());
      case Fact.SandboxSuspended fact ->
          new SandboxSuspended(
              meta,
              Codes.of(fact.depth()),
              Codes.of(fact.reason()),
              fact.aliveUntil().orElse(null));
      case Fact.SuspendFailed fact -> new SuspendFailed(meta, fact.detail());
      case Fact.ResumeRequested fact ->
          new ResumeRequested(meta, Codes.of(fact.depth()), fact.attempt());
      case Fact.SandboxResumed _ -> new SandboxResumed(meta);
      case Fact.ResumeFailed fact -> new ResumeFailed(meta, fact.detail());
      case Fact.ActivityRecorded fact -> new ActivityRecorded(meta, fact.what());
      case Fact.TimeoutExtended fact -> new TimeoutExtended(meta, fact.expiresAt());
      case Fact.EgressChanged fact -> new EgressChanged(meta, Specs.write(fact.egress()));
      case Fact.ExecutionStarted fact ->
          new ExecutionStarted(
              meta,
              fact.executionId(),
              Codes.of(fact.kind()),
              fact.subject(),
              fact.timeout().toMillis());
      case Fact.ExecutionFinished fact -> finished(meta, fact);
      case Fact.StopRequested fact ->
          new StopRequested(meta, Codes.of(fact.reason()), fact.detail(), fact.attempt());
      case Fact.SandboxEnded fact ->
          new SandboxEnded(
              meta, Codes.of(fact.reason()), fact.detail(), fact.aliveUntil().orElse(null));
      case Fact.RequestRefused(Refusal refusal) ->
          new RequestRefused(
              meta,
              Codes.of(refusal.code()),
              refusal.operation(),
              refusal.detail(),
              refusal.suppressed());
    };
  }

  private static SandboxRequested requested(EventMeta meta, Fact.SandboxRequested fact) {
    Spec spec = fact.spec();
    return new SandboxRequested(
        meta,
        Specs.write(spec, spec.egress()),
        Specs.timeoutMillis(spec.mode()),
        Specs.idleTimeoutMillis(spec.mode()),
        fact.expiresAt().orElse(null),
        spec.envNames(),
        spec.envSealed().map(Specs::bytes).orElse(null),
        spec.metadata(),
        Specs.write(spec.patience()),
        spec.fingerprint().orElse(null));
  }

  private static ExecutionFinished finished(EventMeta meta, Fact.ExecutionFinished fact) {
    ExecutionResult result = fact.result();
    return new ExecutionFinished(
        meta,
        fact.executionId(),
        Codes.of(fact.kind()),
        result.exitCode().orElse(null),
        result.timedOut(),
        result.truncated(),
        result.stdoutBytes(),
        result.stderrBytes(),
        result.fileBytes(),
        result.duration().toMillis(),
        result.failure().orElse(null));
  }

  private static EventMeta meta(String sandboxId, Event.Header header, Sandbox after) {
    EventReader.Told told = told(after);
    return new EventMeta(
        sandboxId + "-" + header.version(),
        sandboxId,
        header.org(),
        header.version(),
        header.at(),
        header.dueAt().orElse(null),
        Codes.of(header.cause()),
        header.actor(),
        header.requestId().orElse(null),
        header.commandId().orElse(null),
        told.status(),
        told.incarnation(),
        told.node());
  }

  /** What an event tells of the state that it led to. */
  public static EventReader.Told told(Sandbox after) {
    String status = Codes.of(Status.of(after));
    return switch (after) {
      case Sandbox.Absent _ -> new EventReader.Told(status, 0, "");
      case Sandbox.Live live ->
          new EventReader.Told(status, live.tenure().incarnation(), live.tenure().node());
      case Sandbox.Ended ended -> new EventReader.Told(status, ended.incarnation(), ended.node());
    };
  }

  private static Tenure tenure(Sandbox after) {
    return switch (after) {
      case Sandbox.Live live -> live.tenure();
      case Sandbox.Absent _, Sandbox.Ended _ -> throw nothing();
    };
  }

  private static IllegalStateException nothing() {
    return new IllegalStateException("An event left no living sandbox where there must be one");
  }
}
