package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** What can be asked of a sandbox, told about it, or come due for it. */
public sealed interface Command {

  /**
   * Who speaks.
   *
   * @param org the organization asking; for a report, empty
   */
  record Caller(
      Optional<String> org, String actor, Optional<String> requestId, Optional<String> commandId) {
    static final Caller ENGINE =
        new Caller(Optional.empty(), "engine", Optional.empty(), Optional.empty());
  }

  Caller caller();

  /** From a client, through the API. */
  sealed interface Request extends Command {}

  /**
   * @param node where it would be placed; empty when no node fits
   * @param claimed whether that node has a running container set aside for it
   */
  record Create(Caller caller, Spec spec, Optional<String> node, boolean claimed)
      implements Request {}

  /**
   * @param timeout new time to live from now; empty for the sandbox's own
   */
  record KeepAlive(Caller caller, Optional<Duration> timeout) implements Request {}

  record Suspend(Caller caller) implements Request {}

  record Wake(Caller caller) implements Request {}

  record Destroy(Caller caller) implements Request {}

  record ChangeEgress(Caller caller, Egress egress) implements Request {}

  /**
   * @param thawed the version of the frozen sandbox that its node has thawed for it: as long as it
   *     is still at that one, it runs
   */
  record BeginExecution(
      Caller caller,
      String executionId,
      ExecutionKind kind,
      String subject,
      Duration timeout,
      Optional<Long> thawed)
      implements Request {}

  /**
   * @param thawed as in {@link BeginExecution}
   */
  record Touch(Caller caller, String what, Optional<Long> thawed) implements Request {}

  /**
   * Somebody else's request was turned down. The caller's organization is the one in whose history
   * it goes, its actor the one who asked.
   */
  record NoteRefusal(Caller caller, Subject subject, Refusal refusal) implements Request {}

  /** Whose history it is. */
  enum Subject {
    SANDBOX,
    /** The organization's own, under its own id: no sandbox is concerned. */
    ORGANIZATION
  }

  /** From a node, about one life of the sandbox's container. */
  sealed interface Report extends Command {
    Origin origin();
  }

  /**
   * @param orderVersion version of the event whose order is answered; 0 when the node speaks
   *     unasked
   */
  record Origin(String node, int incarnation, long orderVersion) {}

  record Started(Caller caller, Origin origin, boolean warm) implements Report {}

  /** Nothing of it is left on the node. */
  record StartFailed(Caller caller, Origin origin, String detail) implements Report {}

  /**
   * The node would not take it; nothing of it is there.
   *
   * @param next where it could be placed instead
   */
  record Refused(Caller caller, Origin origin, String detail, Optional<String> next)
      implements Report {}

  record FellAsleep(Caller caller, Origin origin, Depth depth) implements Report {}

  /** It still is as it was before the suspend was asked for. */
  record SuspendFailed(Caller caller, Origin origin, String detail) implements Report {}

  record Resumed(Caller caller, Origin origin) implements Report {}

  /** It still sleeps. */
  record ResumeFailed(Caller caller, Origin origin, String detail) implements Report {}

  /** Its first process ended; its files are still there. */
  record Exited(Caller caller, Origin origin, int exitCode, boolean oomKilled, String detail)
      implements Report {}

  /** Nothing of it is on the node any more. */
  record Gone(Caller caller, Origin origin, String detail) implements Report {}

  /**
   * A container of this life was found on the node. Asks whether it belongs there, and as it is.
   * Seen afresh when said, and said in its turn: never older than the node's word before it.
   */
  record Observed(Caller caller, Origin origin, Phase phase) implements Report {}

  /** The node runs short of memory and wants back what this one, frozen, sleeps in. */
  record MemoryWanted(Caller caller, Origin origin) implements Report {}

  record ExecutionEnded(Caller caller, Origin origin, String executionId, ExecutionResult result)
      implements Report {}

  /** What a found container is doing. */
  enum Phase {
    RUNNING,
    FROZEN,
    STOPPED
  }

  /** A deadline came due. */
  record Elapse(Deadline deadline) implements Command {
    @Override
    public Caller caller() {
      return Caller.ENGINE;
    }
  }

  /**
   * The sandbox's node has not been heard of for too long. To be said again when something was
   * asked of the node while it was away, or the asking would go on until its return.
   *
   * @param aliveUntil its last heartbeat
   * @param next where a sandbox that has not started yet could be placed instead
   */
  record LoseNode(String node, Instant aliveUntil, Optional<String> next) implements Command {
    @Override
    public Caller caller() {
      return Caller.ENGINE;
    }
  }
}
