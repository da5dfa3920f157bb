package io.sandglass.api.domain;

import java.time.Duration;
import java.time.Instant;

/** What happened, by the names the log uses. */
public sealed interface Fact {

  /** The name that clients and billing consumers know it by. */
  default String type() {
    return getClass().getSimpleName();
  }

  /**
   * @param expiresAt null for persistent
   */
  record SandboxRequested(SandboxSpec spec, Instant expiresAt) implements Fact {}

  record PlacementChanged(String refusedBy, String detail) implements Fact {}

  /**
   * @param warm whether it took over a container that was started ahead
   */
  record SandboxStarted(boolean warm) implements Fact {}

  record SuspendRequested(String depth, String reason) implements Fact {}

  /**
   * @param aliveUntil null when it was awake until the event's own time
   */
  record SandboxSuspended(String depth, String reason, Instant aliveUntil) implements Fact {}

  record SuspendFailed(String detail) implements Fact {}

  record ResumeRequested(String depth) implements Fact {}

  record SandboxResumed() implements Fact {}

  record ResumeFailed(String detail) implements Fact {}

  record ActivityRecorded(String what) implements Fact {}

  record TimeoutExtended(Instant expiresAt) implements Fact {}

  record EgressChanged(EgressPolicy egress) implements Fact {}

  record ExecutionStarted(String executionId, String kind, String subject, Duration timeout)
      implements Fact {}

  /**
   * @param exitCode null when it will never be known; then {@code failure} says why
   */
  record ExecutionFinished(
      String executionId,
      String kind,
      Integer exitCode,
      boolean timedOut,
      boolean truncated,
      long stdoutBytes,
      long stderrBytes,
      long fileBytes,
      long durationMs,
      String failure)
      implements Fact {}

  record StopRequested(String reason, String detail, int attempt) implements Fact {}

  /**
   * @param aliveUntil null when it was alive until the event's own time
   */
  record SandboxEnded(String reason, String detail, Instant aliveUntil) implements Fact {}

  /**
   * Somebody asked in vain; it changes nothing, and may come after the end.
   *
   * @param operation what was asked for, by its operationId
   * @param suppressed how many more of the same key's there were since the last one in the history
   */
  record RequestRefused(String code, String operation, String detail, long suppressed)
      implements Fact {}
}
