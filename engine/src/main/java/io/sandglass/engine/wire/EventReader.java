package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Cause;
import io.sandglass.engine.lifecycle.Depth;
import io.sandglass.engine.lifecycle.EndReason;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.ExecutionKind;
import io.sandglass.engine.lifecycle.ExecutionResult;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Refusal;
import io.sandglass.engine.lifecycle.SuspendReason;
import io.sandglass.schemas.ActivityRecorded;
import io.sandglass.schemas.Decoded;
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
import io.sandglass.schemas.WireFormat;
import java.time.Duration;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;

/** Reads facts back: for replay, and for histories that were recorded. */
public final class EventReader {
  private EventReader() {}

  /** An event, whose it is, and what it told of the state after it. */
  public record Recorded(String sandboxId, Event event, Told told) {}

  /**
   * What an event tells of the state that it led to.
   *
   * @param status the public one
   */
  public record Told(String status, int incarnation, String node) {}

  /** What the bytes of a record of {@code sandbox.events} are. */
  public sealed interface Reading {
    record Read(Recorded recorded) implements Reading {}

    record Unreadable(String reason) implements Reading {}
  }

  /** Never throws for any content of {@code value}. */
  public static Reading read(byte[] value) {
    if (value == null) {
      return new Reading.Unreadable("no value");
    }
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(SpecificRecord record) -> reading(record);
      case Decoded.Unknown(long fingerprint) ->
          new Reading.Unreadable(
              "its schema %016x is not one of this release's".formatted(fingerprint));
      case Decoded.Malformed(String reason) -> new Reading.Unreadable(reason);
    };
  }

  private static Reading reading(SpecificRecord record) {
    try {
      return new Reading.Read(read(record));
    } catch (UnreadableException e) {
      return new Reading.Unreadable(record.getSchema().getName() + ": " + e.getMessage());
    }
  }

  /**
   * The event in these bytes.
   *
   * @throws UnreadableException when there is none that this release understands
   * @throws NewerReleaseException when a newer release wrote it: this one must not go past it
   */
  public static Recorded require(byte[] value) {
    if (value == null) {
      throw new UnreadableException("no value");
    }
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(SpecificRecord record) -> read(record);
      case Decoded.Unknown(long fingerprint) -> throw new NewerReleaseException(fingerprint);
      case Decoded.Malformed(String reason) -> throw new UnreadableException(reason);
    };
  }

  /**
   * The event of a record of {@code sandbox.events}.
   *
   * @throws UnreadableException when it is no event, or one with a code this release doesn't know:
   *     a history can't be folded past it
   */
  public static Recorded read(SpecificRecord record) {
    return switch (record) {
      case SandboxRequested r ->
          recorded(
              r.getMeta(),
              new Fact.SandboxRequested(
                  Specs.read(r), r.getMeta().getNodeId(), Optional.ofNullable(r.getExpiresAt())));
      case PlacementChanged r ->
          recorded(
              r.getMeta(),
              new Fact.PlacementChanged(
                  r.getMeta().getNodeId(),
                  r.getMeta().getIncarnation(),
                  r.getRefusedBy(),
                  r.getDetail()));
      case SandboxStarted r -> recorded(r.getMeta(), new Fact.SandboxStarted(r.getWarm()));
      case SuspendRequested r ->
          recorded(
              r.getMeta(),
              new Fact.SuspendRequested(
                  depth(r.getDepth()), suspendReason(r.getReason()), r.getAttempt()));
      case SandboxSuspended r ->
          recorded(
              r.getMeta(),
              new Fact.SandboxSuspended(
                  depth(r.getDepth()),
                  suspendReason(r.getReason()),
                  Optional.ofNullable(r.getAliveUntil())));
      case SuspendFailed r -> recorded(r.getMeta(), new Fact.SuspendFailed(r.getDetail()));
      case ResumeRequested r ->
          recorded(r.getMeta(), new Fact.ResumeRequested(depth(r.getDepth()), r.getAttempt()));
      case SandboxResumed r -> recorded(r.getMeta(), new Fact.SandboxResumed());
      case ResumeFailed r -> recorded(r.getMeta(), new Fact.ResumeFailed(r.getDetail()));
      case ActivityRecorded r -> recorded(r.getMeta(), new Fact.ActivityRecorded(r.getWhat()));
      case TimeoutExtended r -> recorded(r.getMeta(), new Fact.TimeoutExtended(r.getExpiresAt()));
      case EgressChanged r ->
          recorded(r.getMeta(), new Fact.EgressChanged(Specs.read(r.getEgress())));
      case ExecutionStarted r ->
          recorded(
              r.getMeta(),
              new Fact.ExecutionStarted(
                  r.getExecutionId(),
                  Codes.read(ExecutionKind.class, r.getKind()),
                  r.getSubject(),
                  Duration.ofMillis(r.getTimeoutMs())));
      case ExecutionFinished r ->
          recorded(
              r.getMeta(),
              new Fact.ExecutionFinished(
                  r.getExecutionId(), Codes.read(ExecutionKind.class, r.getKind()), result(r)));
      case StopRequested r ->
          recorded(
              r.getMeta(),
              new Fact.StopRequested(endReason(r.getReason()), r.getDetail(), r.getAttempt()));
      case SandboxEnded r ->
          recorded(
              r.getMeta(),
              new Fact.SandboxEnded(
                  endReason(r.getReason()), r.getDetail(), Optional.ofNullable(r.getAliveUntil())));
      case RequestRefused r ->
          recorded(
              r.getMeta(),
              new Fact.RequestRefused(
                  new Refusal(
                      Codes.read(Refusal.Code.class, r.getCode()),
                      r.getOperation(),
                      r.getDetail(),
                      r.getSuppressed())));
      default -> throw new UnreadableException("not an event: " + record.getSchema().getName());
    };
  }

  private static ExecutionResult result(ExecutionFinished r) {
    return new ExecutionResult(
        Optional.ofNullable(r.getExitCode()),
        r.getTimedOut(),
        r.getTruncated(),
        r.getStdoutBytes(),
        r.getStderrBytes(),
        r.getFileBytes(),
        Duration.ofMillis(r.getDurationMs()),
        Optional.ofNullable(r.getFailure()));
  }

  private static Recorded recorded(EventMeta meta, Fact fact) {
    return new Recorded(
        meta.getSandboxId(),
        new Event(
            new Event.Header(
                meta.getVersion(),
                meta.getAt(),
                Optional.ofNullable(meta.getDueAt()),
                Codes.read(Cause.class, meta.getCause()),
                meta.getOrgId(),
                meta.getActor(),
                Optional.ofNullable(meta.getRequestId()),
                Optional.ofNullable(meta.getCommandId())),
            fact),
        new Told(meta.getStatusAfter(), meta.getIncarnation(), meta.getNodeId()));
  }

  private static Depth depth(String code) {
    return Codes.read(Depth.class, code);
  }

  private static SuspendReason suspendReason(String code) {
    return Codes.read(SuspendReason.class, code);
  }

  private static EndReason endReason(String code) {
    return Codes.read(EndReason.class, code);
  }
}
