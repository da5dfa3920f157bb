package io.sandglass.api.wire;

import io.sandglass.api.domain.EgressMode;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Status;
import io.sandglass.api.domain.Template;
import io.sandglass.schemas.ActivityRecorded;
import io.sandglass.schemas.Egress;
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
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;

/** Events as the log holds them. */
public final class EventReader {
  private EventReader() {}

  /** Empty when the record is no event. */
  public static Optional<SandboxEvent> read(SpecificRecord record) {
    return Optional.ofNullable(
        switch (record) {
          case SandboxRequested event -> event(event.getMeta(), requested(event));
          case PlacementChanged event ->
              event(
                  event.getMeta(),
                  new Fact.PlacementChanged(event.getRefusedBy(), event.getDetail()));
          case SandboxStarted event ->
              event(event.getMeta(), new Fact.SandboxStarted(event.getWarm()));
          case SuspendRequested event ->
              event(
                  event.getMeta(), new Fact.SuspendRequested(event.getDepth(), event.getReason()));
          case SandboxSuspended event ->
              event(
                  event.getMeta(),
                  new Fact.SandboxSuspended(
                      event.getDepth(), event.getReason(), event.getAliveUntil()));
          case SuspendFailed event ->
              event(event.getMeta(), new Fact.SuspendFailed(event.getDetail()));
          case ResumeRequested event ->
              event(event.getMeta(), new Fact.ResumeRequested(event.getDepth()));
          case SandboxResumed event -> event(event.getMeta(), new Fact.SandboxResumed());
          case ResumeFailed event ->
              event(event.getMeta(), new Fact.ResumeFailed(event.getDetail()));
          case ActivityRecorded event ->
              event(event.getMeta(), new Fact.ActivityRecorded(event.getWhat()));
          case TimeoutExtended event ->
              event(event.getMeta(), new Fact.TimeoutExtended(event.getExpiresAt()));
          case EgressChanged event ->
              event(event.getMeta(), new Fact.EgressChanged(policy(event.getEgress())));
          case ExecutionStarted event ->
              event(
                  event.getMeta(),
                  new Fact.ExecutionStarted(
                      event.getExecutionId(),
                      event.getKind(),
                      event.getSubject(),
                      Duration.ofMillis(event.getTimeoutMs())));
          case ExecutionFinished event -> event(event.getMeta(), finished(event));
          case StopRequested event ->
              event(
                  event.getMeta(),
                  new Fact.StopRequested(event.getReason(), event.getDetail(), event.getAttempt()));
          case SandboxEnded event ->
              event(
                  event.getMeta(),
                  new Fact.SandboxEnded(
                      event.getReason(), event.getDetail(), event.getAliveUntil()));
          case RequestRefused event ->
              event(
                  event.getMeta(),
                  new Fact.RequestRefused(
                      event.getCode(),
                      event.getOperation(),
                      event.getDetail(),
                      event.getSuppressed()));
          default -> null;
        });
  }

  private static SandboxEvent event(EventMeta meta, Fact fact) {
    return new SandboxEvent(
        new EventHeader(
            meta.getEventId(),
            meta.getSandboxId(),
            meta.getOrgId(),
            meta.getVersion(),
            meta.getAt(),
            meta.getDueAt(),
            meta.getCause(),
            meta.getActor(),
            meta.getRequestId(),
            meta.getCommandId(),
            known(Status.parse(meta.getStatusAfter()), "status", meta.getStatusAfter()),
            meta.getIncarnation(),
            meta.getNodeId()),
        fact);
  }

  private static Fact requested(SandboxRequested event) {
    var spec = event.getSpec();
    ByteBuffer sealed = event.getEnvSealed();
    return new Fact.SandboxRequested(
        new SandboxSpec(
            new Template(
                spec.getTemplate().getId(),
                spec.getTemplate().getName(),
                spec.getTemplate().getImage()),
            known(Mode.parse(spec.getMode()), "mode", spec.getMode()),
            new Size(
                spec.getSize().getName(),
                spec.getSize().getCpuMillis(),
                spec.getSize().getMemoryBytes()),
            policy(spec.getEgress()),
            duration(event.getTimeoutMs()),
            duration(event.getIdleTimeoutMs()),
            new SealedEnv(event.getEnvNames(), sealed == null ? null : bytes(sealed)),
            event.getMetadata()),
        event.getExpiresAt());
  }

  private static Fact finished(ExecutionFinished event) {
    return new Fact.ExecutionFinished(
        event.getExecutionId(),
        event.getKind(),
        event.getExitCode(),
        event.getTimedOut(),
        event.getTruncated(),
        event.getStdoutBytes(),
        event.getStderrBytes(),
        event.getFileBytes(),
        event.getDurationMs(),
        event.getFailure());
  }

  static EgressPolicy policy(Egress egress) {
    return new EgressPolicy(
        known(EgressMode.parse(egress.getMode()), "egress mode", egress.getMode()),
        egress.getAllowCidrs(),
        egress.getDenyCidrs(),
        egress.getAllowPorts());
  }

  private static Duration duration(Long millis) {
    return millis == null ? null : Duration.ofMillis(millis);
  }

  static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  private static <T> T known(Optional<T> value, String what, String text) {
    return value.orElseThrow(
        () -> new IllegalArgumentException("The log has an unknown " + what + ": " + text));
  }
}
