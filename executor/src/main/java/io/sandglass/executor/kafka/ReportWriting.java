package io.sandglass.executor.kafka;

import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.sandbox.Depth;
import io.sandglass.executor.sandbox.Report;
import io.sandglass.schemas.CommandMeta;
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
import java.time.InstantSource;
import org.apache.avro.specific.SpecificRecord;

/** Writes a report as its record. */
final class ReportWriting {
  private final String nodeId;
  private final InstantSource clock;

  ReportWriting(String nodeId, InstantSource clock) {
    this.nodeId = nodeId;
    this.clock = clock;
  }

  SpecificRecord write(Report report) {
    CommandMeta meta = meta(report);
    ReportOrigin origin =
        new ReportOrigin(nodeId, report.subject().life().incarnation(), report.subject().version());
    return switch (report.content()) {
      case Report.Started started -> new ReportStarted(meta, origin, started.warm());
      case Report.StartFailed failed -> new ReportStartFailed(meta, origin, failed.detail());
      case Report.Refused refused -> new ReportRefused(meta, origin, refused.detail());
      case Report.Suspended suspended ->
          new ReportSuspended(meta, origin, depth(suspended.depth()));
      case Report.SuspendFailed failed -> new ReportSuspendFailed(meta, origin, failed.detail());
      case Report.Resumed _ -> new ReportResumed(meta, origin);
      case Report.ResumeFailed failed -> new ReportResumeFailed(meta, origin, failed.detail());
      case Report.Exited exited ->
          new ReportExited(
              meta, origin, exited.exit().code(), exited.exit().oomKilled(), exited.detail());
      case Report.Gone gone -> new ReportGone(meta, origin, gone.detail());
      case Report.Observed observed -> new ReportObserved(meta, origin, observed.phase());
      case Report.MemoryWanted _ -> new ReportMemoryWanted(meta, origin);
      case Report.ExecutionEnded ended -> finished(meta, origin, ended.end());
    };
  }

  private CommandMeta meta(Report report) {
    return CommandMeta.newBuilder()
        .setCommandId(report.id())
        .setSandboxId(report.subject().life().sandboxId())
        .setOrgId(report.subject().orgId())
        .setActor("node:" + nodeId)
        .setRequestId(report.subject().requestId().orElse(null))
        .setSentAt(clock.instant())
        .build();
  }

  private static String depth(Depth depth) {
    return switch (depth) {
      case FROZEN -> "frozen";
      case STOPPED -> "stopped";
    };
  }

  private static SpecificRecord finished(CommandMeta meta, ReportOrigin origin, ExecutionEnd end) {
    return ReportExecutionFinished.newBuilder()
        .setMeta(meta)
        .setOrigin(origin)
        .setExecutionId(end.executionId())
        .setExitCode(end.exitCode().isPresent() ? end.exitCode().getAsInt() : null)
        .setTimedOut(end.timedOut())
        .setTruncated(end.truncated())
        .setStdoutBytes(end.stdoutBytes())
        .setStderrBytes(end.stderrBytes())
        .setFileBytes(end.fileBytes())
        .setDurationMs(end.took().toMillis())
        .setFailure(end.failure().orElse(null))
        .build();
  }
}
