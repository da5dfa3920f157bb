package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Folds facts into state. Reads no clock, no configuration and no randomness, so that a log always
 * folds to the same.
 */
public final class Evolution {
  private Evolution() {}

  /**
   * The state after an event.
   *
   * @throws IllegalStateException when the event can't follow the state: the log is broken
   */
  public static Sandbox evolve(Sandbox before, Event event) {
    long version = event.header().version();
    if (version != before.version() + 1) {
      throw new IllegalStateException(
          "Expected version "
              + (before.version() + 1)
              + " next, but the event has version "
              + version);
    }
    return switch (before) {
      case Sandbox.Absent _ when event.fact() instanceof Fact.RequestRefused ->
          new Sandbox.Absent(version);
      case Sandbox.Absent absent -> created(absent, event);
      case Sandbox.Live live -> next(live, event);
      case Sandbox.Ended ended when event.fact() instanceof Fact.RequestRefused ->
          new Sandbox.Ended(
              ended.org(),
              ended.node(),
              ended.incarnation(),
              ended.reason(),
              ended.fingerprint(),
              version);
      case Sandbox.Ended _ -> throw broken(before, event);
    };
  }

  private static Sandbox created(Sandbox.Absent before, Event event) {
    if (!(event.fact()
            instanceof Fact.SandboxRequested(Spec spec, String node, Optional<Instant> expiresAt))
        || before.version() > 0) {
      throw broken(before, event);
    }
    Event.Header header = event.header();
    Tenure tenure =
        new Tenure(header.org(), spec, node, 1, spec.egress(), expiresAt, header.at(), Map.of());
    return new Sandbox.Live(
        tenure, new Stage.Starting(header.at(), header.version()), header.version());
  }

  private static Sandbox next(Sandbox.Live before, Event event) {
    Tenure tenure = before.tenure();
    Stage stage = before.stage();
    Instant at = event.header().at();
    long version = event.header().version();
    return switch (event.fact()) {
      case Fact.SandboxRequested _ -> throw broken(before, event);
      case Fact.PlacementChanged moved ->
          new Sandbox.Live(
              tenure.placedOn(moved.node(), moved.incarnation()),
              new Stage.Starting(at, version),
              version);
      case Fact.SandboxStarted _, Fact.SandboxResumed _ ->
          new Sandbox.Live(tenure.activeAt(at, tenure.inFlight()), new Stage.Running(), version);
      case Fact.SuspendRequested(Depth depth, SuspendReason reason, int attempt) ->
          new Sandbox.Live(
              tenure,
              new Stage.Suspending(depth, reason, sleepingAt(stage, reason), attempt, at, version),
              version);
      case Fact.SandboxSuspended(Depth depth, SuspendReason _, Optional<Instant> _) ->
          // What was in flight may be over by that, but its end is still to be told.
          new Sandbox.Live(tenure, new Stage.Suspended(depth, at), version);
      case Fact.SuspendFailed _ -> notSuspended(before, event);
      case Fact.ResumeRequested(Depth depth, int attempt) ->
          new Sandbox.Live(tenure, new Stage.Resuming(depth, attempt, at, version), version);
      case Fact.ResumeFailed _ ->
          new Sandbox.Live(tenure, new Stage.Suspended(depthOf(before, event), at), version);
      case Fact.ActivityRecorded _ ->
          new Sandbox.Live(tenure.activeAt(at, tenure.inFlight()), stage, version);
      case Fact.TimeoutExtended(Instant expiresAt) ->
          new Sandbox.Live(tenure.expiringAt(expiresAt), stage, version);
      case Fact.EgressChanged(Egress egress) ->
          new Sandbox.Live(tenure.withEgress(egress), stage, version);
      case Fact.ExecutionStarted(String id, ExecutionKind kind, String _, Duration timeout) -> {
        Map<String, InFlight> executions = stillInFlight(tenure, at);
        executions.put(
            id, new InFlight(kind, Deadline.after(Deadline.after(at, timeout), InFlight.GRACE)));
        yield new Sandbox.Live(tenure.activeAt(at, executions), stage, version);
      }
      case Fact.ExecutionFinished(String id, ExecutionKind _, ExecutionResult _) -> {
        Map<String, InFlight> executions = stillInFlight(tenure, at);
        executions.remove(id);
        yield new Sandbox.Live(tenure.activeAt(at, executions), stage, version);
      }
      case Fact.StopRequested(EndReason reason, String detail, int attempt) ->
          new Sandbox.Live(
              tenure, new Stage.Stopping(reason, detail, attempt, at, version), version);
      case Fact.SandboxEnded(EndReason reason, String _, Optional<Instant> _) ->
          new Sandbox.Ended(
              tenure.org(),
              tenure.node(),
              tenure.incarnation(),
              reason,
              tenure.spec().fingerprint(),
              version);
      case Fact.RequestRefused _ -> new Sandbox.Live(tenure, stage, version);
    };
  }

  /** As before it was asked for; if awake, with a fresh idle clock, or it would be due at once. */
  private static Sandbox notSuspended(Sandbox.Live before, Event event) {
    if (!(before.stage() instanceof Stage.Suspending asked)) {
      throw broken(before, event);
    }
    Tenure tenure = before.tenure();
    Instant at = event.header().at();
    long version = event.header().version();
    return asked
        .from()
        .map(depth -> new Sandbox.Live(tenure, new Stage.Suspended(depth, at), version))
        .orElseGet(
            () ->
                new Sandbox.Live(
                    tenure.activeAt(at, tenure.inFlight()), new Stage.Running(), version));
  }

  /** The depth a sandbox is known to sleep at, also while it is asked to sleep deeper. */
  private static Optional<Depth> sleepingAt(Stage stage, SuspendReason reason) {
    return switch (stage) {
      case Stage.Suspended(Depth depth, Instant _) ->
          reason == SuspendReason.NODE_RETURNED ? Optional.empty() : Optional.of(depth);
      case Stage.Suspending suspending -> suspending.from();
      case Stage.Starting _, Stage.Running _, Stage.Resuming _, Stage.Stopping _ ->
          Optional.empty();
    };
  }

  private static Depth depthOf(Sandbox.Live before, Event event) {
    if (before.stage() instanceof Stage.Resuming resuming) {
      return resuming.depth();
    }
    throw broken(before, event);
  }

  /** Executions whose end was never reported are forgotten when they must be over. */
  private static Map<String, InFlight> stillInFlight(Tenure tenure, Instant at) {
    Map<String, InFlight> executions = new HashMap<>(tenure.inFlight());
    executions.values().removeIf(execution -> execution.until().isBefore(at));
    return executions;
  }

  private static IllegalStateException broken(Sandbox before, Event event) {
    return new IllegalStateException("No sandbox can have " + event + " after " + before);
  }
}
