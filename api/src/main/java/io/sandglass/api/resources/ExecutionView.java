package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.control.Detached;
import io.sandglass.api.dataplane.NodeStream;
import io.sandglass.api.domain.DurationText;
import io.sandglass.api.domain.ExecutionRecord;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** A command that ran, as clients see its record. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.ALWAYS)
@Schema(name = "Execution")
record ExecutionView(
    String id,
    String sandboxId,
    @Schema(
            description =
                "running; finished: it has an exit_code; failed: it never began; lost: it is over,"
                    + " and its exit code is not known",
            allowableValues = {"running", "finished", "failed", "lost"})
        String state,
    boolean detached,
    String command,
    String timeout,
    @Schema(description = "Never made up: null unless it is known", nullable = true)
        Integer exitCode,
    boolean timedOut,
    @Schema(description = "Whether output past 10 MiB a stream was dropped") boolean truncated,
    @Schema(
            description = "Why there is no exit code, or what was unusual about the end",
            example = "killed: on request",
            nullable = true)
        String failure,
    @Schema(format = "date-time") String startedAt,
    @Schema(description = "When its end was told", format = "date-time", nullable = true)
        String finishedAt,
    @Schema(nullable = true) Long durationMs,
    @Schema(description = "All that it wrote, dropped bytes included", nullable = true)
        Long stdoutBytes,
    @Schema(nullable = true) Long stderrBytes,
    @Schema(description = "Who had it run", example = "key:key_01j9…") String actor) {

  /** A stretch of a list. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.ALWAYS)
  @Schema(name = "ExecutionPage")
  record Page(
      List<ExecutionView> executions,
      @Schema(
              description = "Sent as cursor, it gets the next page; null on the last",
              nullable = true)
          String nextCursor) {}

  /** One with its output. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.ALWAYS)
  @Schema(name = "ExecutionWithOutput")
  record WithOutput(
      @JsonUnwrapped ExecutionView execution,
      @Schema(
              description =
                  "available: the texts follow; sent: it was not detached, and its caller got it;"
                      + " gone: the sandbox does not keep it any more; unreachable: the sandbox"
                      + " cannot be asked now, as it sleeps or its node is away",
              allowableValues = {"available", "sent", "gone", "unreachable"})
          String output,
      @Schema(
              description =
                  "From stdout_offset on, in whole characters; bytes that are no UTF-8 are"
                      + " replaced. Null unless it is available",
              nullable = true)
          String stdout,
      @Schema(description = "As stdout_offset, it gets what comes after this text", nullable = true)
          Long stdoutNextOffset,
      @Schema(nullable = true) String stderr,
      @Schema(nullable = true) Long stderrNextOffset) {}

  static ExecutionView of(ExecutionRecord record, Instant now) {
    ExecutionRecord.End end = record.end();
    return new ExecutionView(
        record.id(),
        record.sandboxId(),
        record.state(now).text(),
        record.detached(),
        record.command(),
        DurationText.format(record.timeout()),
        end == null ? null : end.exitCode(),
        end != null && end.timedOut(),
        end != null && end.truncated(),
        record.failure(now).orElse(null),
        SandboxView.text(record.startedAt()),
        end == null ? null : SandboxView.text(end.at()),
        end == null ? null : end.durationMs(),
        end == null ? null : end.stdoutBytes(),
        end == null ? null : end.stderrBytes(),
        record.actor());
  }

  static WithOutput of(ExecutionRecord record, Detached.Output output, Instant now) {
    ExecutionView view = of(record, now);
    return new WithOutput(
        output.written().filter(_ -> record.end() == null).map(view::soFar).orElse(view),
        output.kept().name().toLowerCase(Locale.ROOT),
        output.stdout() == null ? null : output.stdout().text(),
        output.stdout() == null ? null : output.stdout().next(),
        output.stderr() == null ? null : output.stderr().text(),
        output.stderr() == null ? null : output.stderr().next());
  }

  private ExecutionView soFar(NodeStream.Frame.Pause written) {
    return new ExecutionView(
        id,
        sandboxId,
        state,
        detached,
        command,
        timeout,
        exitCode,
        timedOut,
        Math.max(written.stdoutBytes(), written.stderrBytes()) > NodeStream.KEPT,
        failure,
        startedAt,
        finishedAt,
        durationMs,
        written.stdoutBytes(),
        written.stderrBytes(),
        actor);
  }
}
