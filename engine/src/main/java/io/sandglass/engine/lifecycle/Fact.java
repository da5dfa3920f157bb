package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** What can happen to a sandbox, in asked/done pairs. */
public sealed interface Fact {

  record SandboxRequested(Spec spec, String node, Optional<Instant> expiresAt) implements Fact {}

  record PlacementChanged(String node, int incarnation, String leftNode, String detail)
      implements Fact {}

  /**
   * @param warm whether it took over a container that was started ahead
   */
  record SandboxStarted(boolean warm) implements Fact {}

  record SuspendRequested(Depth depth, SuspendReason reason, int attempt) implements Fact {}

  /**
   * @param aliveUntil the last moment it is known to have been awake, when that is not the event's
   *     own time
   */
  record SandboxSuspended(Depth depth, SuspendReason reason, Optional<Instant> aliveUntil)
      implements Fact {}

  record SuspendFailed(String detail) implements Fact {}

  record ResumeRequested(Depth depth, int attempt) implements Fact {}

  record SandboxResumed() implements Fact {}

  record ResumeFailed(String detail) implements Fact {}

  record ActivityRecorded(String what) implements Fact {}

  record TimeoutExtended(Instant expiresAt) implements Fact {}

  record EgressChanged(Egress egress) implements Fact {}

  record ExecutionStarted(String executionId, ExecutionKind kind, String subject, Duration timeout)
      implements Fact {}

  record ExecutionFinished(String executionId, ExecutionKind kind, ExecutionResult result)
      implements Fact {}

  record StopRequested(EndReason reason, String detail, int attempt) implements Fact {}

  /**
   * @param aliveUntil the last proof of life, when that is not the event's own time
   */
  record SandboxEnded(EndReason reason, String detail, Optional<Instant> aliveUntil)
      implements Fact {}

  /** Somebody asked in vain; it changes nothing, and may come after the end. */
  record RequestRefused(Refusal refusal) implements Fact {}
}
