package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.Depth;
import io.sandglass.engine.lifecycle.ExecutionResult;
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
import java.time.Duration;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;

/** Reads what nodes say. */
final class ReportReader {
  private ReportReader() {}

  static Incoming read(SpecificRecord record) {
    return switch (record) {
      case ReportStarted r ->
          reported(
              r.getMeta(),
              new Command.Started(node(r.getMeta()), origin(r.getOrigin()), r.getWarm()));
      case ReportStartFailed r ->
          reported(
              r.getMeta(),
              new Command.StartFailed(node(r.getMeta()), origin(r.getOrigin()), r.getDetail()));
      case ReportRefused r ->
          reported(
              r.getMeta(),
              new Command.Refused(
                  node(r.getMeta()), origin(r.getOrigin()), r.getDetail(), Optional.empty()));
      case ReportSuspended r ->
          reported(
              r.getMeta(),
              new Command.FellAsleep(
                  node(r.getMeta()), origin(r.getOrigin()), Codes.read(Depth.class, r.getDepth())));
      case ReportSuspendFailed r ->
          reported(
              r.getMeta(),
              new Command.SuspendFailed(node(r.getMeta()), origin(r.getOrigin()), r.getDetail()));
      case ReportResumed r ->
          reported(r.getMeta(), new Command.Resumed(node(r.getMeta()), origin(r.getOrigin())));
      case ReportResumeFailed r ->
          reported(
              r.getMeta(),
              new Command.ResumeFailed(node(r.getMeta()), origin(r.getOrigin()), r.getDetail()));
      case ReportExited r ->
          reported(
              r.getMeta(),
              new Command.Exited(
                  node(r.getMeta()),
                  origin(r.getOrigin()),
                  r.getExitCode(),
                  r.getOomKilled(),
                  r.getDetail()));
      case ReportGone r ->
          reported(
              r.getMeta(),
              new Command.Gone(node(r.getMeta()), origin(r.getOrigin()), r.getDetail()));
      case ReportObserved r ->
          reported(
              r.getMeta(),
              new Command.Observed(
                  node(r.getMeta()),
                  origin(r.getOrigin()),
                  Codes.read(Command.Phase.class, r.getPhase())));
      case ReportMemoryWanted r ->
          reported(r.getMeta(), new Command.MemoryWanted(node(r.getMeta()), origin(r.getOrigin())));
      case ReportExecutionFinished r ->
          reported(
              r.getMeta(),
              new Command.ExecutionEnded(
                  node(r.getMeta()), origin(r.getOrigin()), r.getExecutionId(), result(r)));
      default -> throw new UnreadableException("neither a command nor a report");
    };
  }

  private static ExecutionResult result(ReportExecutionFinished r) {
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

  private static Incoming reported(CommandMeta meta, Command.Report report) {
    return new Incoming.Reported(CommandReader.envelope(meta), report);
  }

  private static Command.Caller node(CommandMeta meta) {
    return CommandReader.caller(meta, Optional.empty());
  }

  private static Command.Origin origin(ReportOrigin origin) {
    return new Command.Origin(
        origin.getNodeId(), origin.getIncarnation(), origin.getOrderVersion());
  }
}
