package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.ExecutionResult;
import io.sandglass.engine.lifecycle.Refusal;
import io.sandglass.schemas.BeginExecution;
import io.sandglass.schemas.ChangeEgress;
import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.CreateSandbox;
import io.sandglass.schemas.DestroySandbox;
import io.sandglass.schemas.KeepAlive;
import io.sandglass.schemas.NoteRefusal;
import io.sandglass.schemas.ReportExecutionFinished;
import io.sandglass.schemas.ReportExited;
import io.sandglass.schemas.ReportGone;
import io.sandglass.schemas.ReportMemoryWanted;
import io.sandglass.schemas.ReportObserved;
import io.sandglass.schemas.ReportOrigin;
import io.sandglass.schemas.ReportRefused;
import io.sandglass.schemas.ReportResumeFailed;
import io.sandglass.schemas.ReportResumed;
import io.sandglass.schemas.ReportStartFailed;
import io.sandglass.schemas.ReportStarted;
import io.sandglass.schemas.ReportSuspendFailed;
import io.sandglass.schemas.ReportSuspended;
import io.sandglass.schemas.SuspendSandbox;
import io.sandglass.schemas.TouchSandbox;
import io.sandglass.schemas.WakeSandbox;
import java.time.Duration;
import java.time.Instant;
import org.apache.avro.specific.SpecificRecord;

/** What a client or a node would write to say a command: the reader's counterpart. */
final class CommandWriter {
  private CommandWriter() {}

  static SpecificRecord write(Envelope envelope, Command.Request request) {
    CommandMeta meta = meta(envelope, request.caller());
    return switch (request) {
      case Command.Create c ->
          new CreateSandbox(
              meta,
              Specs.write(c.spec(), c.spec().egress()),
              Specs.timeoutMillis(c.spec().mode()),
              Specs.idleTimeoutMillis(c.spec().mode()),
              c.spec().envNames(),
              c.spec().envSealed().map(Specs::bytes).orElse(null),
              c.spec().metadata(),
              c.claimed() ? c.node().orElse(null) : null);
      case Command.KeepAlive c ->
          new KeepAlive(meta, c.timeout().map(Duration::toMillis).orElse(null));
      case Command.Suspend _ -> new SuspendSandbox(meta);
      case Command.Wake _ -> new WakeSandbox(meta);
      case Command.Destroy _ -> new DestroySandbox(meta);
      case Command.ChangeEgress c -> new ChangeEgress(meta, Specs.write(c.egress()));
      case Command.BeginExecution c ->
          new BeginExecution(
              meta,
              c.executionId(),
              Codes.of(c.kind()),
              c.subject(),
              c.timeout().toMillis(),
              c.thawed().orElse(null));
      case Command.Touch c -> new TouchSandbox(meta, c.what(), c.thawed().orElse(null));
      case Command.NoteRefusal(Command.Caller _, Command.Subject _, Refusal refusal) ->
          new NoteRefusal(
              meta,
              Codes.of(refusal.code()),
              refusal.operation(),
              refusal.detail(),
              refusal.suppressed());
    };
  }

  static SpecificRecord write(Envelope envelope, Command.Report report) {
    CommandMeta meta = meta(envelope, report.caller());
    ReportOrigin origin =
        new ReportOrigin(
            report.origin().node(), report.origin().incarnation(), report.origin().orderVersion());
    return switch (report) {
      case Command.Started started -> new ReportStarted(meta, origin, started.warm());
      case Command.StartFailed r -> new ReportStartFailed(meta, origin, r.detail());
      case Command.Refused r -> new ReportRefused(meta, origin, r.detail());
      case Command.FellAsleep r -> new ReportSuspended(meta, origin, Codes.of(r.depth()));
      case Command.SuspendFailed r -> new ReportSuspendFailed(meta, origin, r.detail());
      case Command.Resumed _ -> new ReportResumed(meta, origin);
      case Command.ResumeFailed r -> new ReportResumeFailed(meta, origin, r.detail());
      case Command.Exited r ->
          new ReportExited(meta, origin, r.exitCode(), r.oomKilled(), r.detail());
      case Command.Gone r -> new ReportGone(meta, origin, r.detail());
      case Command.Observed r -> new ReportObserved(meta, origin, Codes.of(r.phase()));
      case Command.MemoryWanted _ -> new ReportMemoryWanted(meta, origin);
      case Command.ExecutionEnded r -> finished(meta, origin, r);
    };
  }

  private static ReportExecutionFinished finished(
      CommandMeta meta, ReportOrigin origin, Command.ExecutionEnded r) {
    ExecutionResult result = r.result();
    return new ReportExecutionFinished(
        meta,
        origin,
        r.executionId(),
        result.exitCode().orElse(null),
        result.timedOut(),
        result.truncated(),
        result.stdoutBytes(),
        result.stderrBytes(),
        result.fileBytes(),
        result.duration().toMillis(),
        result.failure().orElse(null));
  }

  private static CommandMeta meta(Envelope envelope, Command.Caller caller) {
    return new CommandMeta(
        envelope.commandId(),
        envelope.sandboxId(),
        envelope.org(),
        caller.actor(),
        envelope.requestId().orElse(null),
        envelope.replyPartition().orElse(null),
        Instant.EPOCH,
        envelope.fingerprint().orElse(null));
  }
}
