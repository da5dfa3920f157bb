package io.sandglass.api.wire;

import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.schemas.BeginExecution;
import io.sandglass.schemas.ChangeEgress;
import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.CreateSandbox;
import io.sandglass.schemas.DestroySandbox;
import io.sandglass.schemas.Egress;
import io.sandglass.schemas.KeepAlive;
import io.sandglass.schemas.NoteRefusal;
import io.sandglass.schemas.ReportExecutionFinished;
import io.sandglass.schemas.ReportOrigin;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.StartSpec;
import io.sandglass.schemas.SuspendSandbox;
import io.sandglass.schemas.TemplateRef;
import io.sandglass.schemas.TouchSandbox;
import io.sandglass.schemas.WakeSandbox;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.apache.avro.specific.SpecificRecord;

/** Commands on their way to the log. */
public final class CommandWriter {
  private CommandWriter() {}

  /**
   * @param replyPartition where the outcome is waited for; null when nobody waits
   */
  public static SpecificRecord write(Command command, Integer replyPartition, Instant now) {
    CommandMeta meta = meta(command.header(), replyPartition, now);
    return switch (command) {
      case Command.Create create -> create(meta, create);
      case Command.KeepAlive keepAlive ->
          KeepAlive.newBuilder().setMeta(meta).setTimeoutMs(millis(keepAlive.timeout())).build();
      case Command.ChangeEgress change ->
          ChangeEgress.newBuilder().setMeta(meta).setEgress(egress(change.egress())).build();
      case Command.Suspend _ -> SuspendSandbox.newBuilder().setMeta(meta).build();
      case Command.Wake _ -> WakeSandbox.newBuilder().setMeta(meta).build();
      case Command.Destroy _ -> DestroySandbox.newBuilder().setMeta(meta).build();
      case Command.BeginExecution begin ->
          BeginExecution.newBuilder()
              .setMeta(meta)
              .setExecutionId(begin.executionId())
              .setKind(begin.kind().name().toLowerCase(Locale.ROOT))
              .setSubject(begin.subject())
              .setTimeoutMs(begin.timeout().toMillis())
              .setThawedVersion(begin.thawed().orElse(null))
              .build();
      case Command.NeverBegan never ->
          ReportExecutionFinished.newBuilder()
              .setMeta(meta)
              .setOrigin(
                  ReportOrigin.newBuilder()
                      .setNodeId(never.nodeId())
                      .setIncarnation(never.incarnation())
                      .setOrderVersion(0)
                      .build())
              .setExecutionId(never.executionId())
              .setTimedOut(false)
              .setTruncated(false)
              .setStdoutBytes(0)
              .setStderrBytes(0)
              .setFileBytes(0)
              .setDurationMs(0)
              .setFailure(never.failure())
              .build();
      case Command.NoteRefusal note ->
          NoteRefusal.newBuilder()
              .setMeta(meta)
              .setCode(note.code())
              .setOperation(note.operation())
              .setDetail(note.detail())
              .setSuppressed(note.suppressed())
              .build();
      case Command.Touch touch ->
          TouchSandbox.newBuilder()
              .setMeta(meta)
              .setWhat(touch.what())
              .setThawedVersion(touch.thawed().orElse(null))
              .build();
    };
  }

  private static CommandMeta meta(Command.Header header, Integer replyPartition, Instant now) {
    return CommandMeta.newBuilder()
        .setCommandId(header.commandId())
        .setSandboxId(header.sandboxId())
        .setOrgId(header.orgId())
        .setActor(header.actor())
        .setRequestId(header.requestId())
        .setReplyPartition(replyPartition)
        .setSentAt(now.truncatedTo(ChronoUnit.MILLIS))
        .setFingerprint(header.fingerprint())
        .build();
  }

  private static CreateSandbox create(CommandMeta meta, Command.Create create) {
    SandboxSpec spec = create.spec();
    byte[] sealed = spec.env().sealed();
    return CreateSandbox.newBuilder()
        .setMeta(meta)
        .setSpec(
            StartSpec.newBuilder()
                .setTemplate(
                    TemplateRef.newBuilder()
                        .setId(spec.template().id())
                        .setName(spec.template().name())
                        .setImage(spec.template().image())
                        .build())
                .setMode(spec.mode().text())
                .setSize(
                    Size.newBuilder()
                        .setName(spec.size().name())
                        .setCpuMillis(spec.size().cpuMillis())
                        .setMemoryBytes(spec.size().memoryBytes())
                        .build())
                .setEgress(egress(spec.egress()))
                .build())
        .setTimeoutMs(millis(spec.timeout()))
        .setIdleTimeoutMs(millis(spec.idleTimeout()))
        .setEnvNames(spec.envNames())
        .setEnvSealed(sealed == null ? null : ByteBuffer.wrap(sealed))
        .setMetadata(spec.metadata())
        .setClaimedOn(create.claimedOn().orElse(null))
        .build();
  }

  static Egress egress(EgressPolicy policy) {
    return Egress.newBuilder()
        .setMode(policy.mode().text())
        .setAllowCidrs(policy.allowCidrs())
        .setDenyCidrs(policy.denyCidrs())
        .setAllowPorts(policy.allowPorts())
        .build();
  }

  private static Long millis(Duration duration) {
    return duration == null ? null : duration.toMillis();
  }
}
