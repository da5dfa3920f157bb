package io.sandglass.api.domain;

import io.sandglass.api.domain.Sandbox.Reason;
import io.sandglass.api.domain.Sandbox.Times;
import java.time.Instant;
import java.util.Optional;

/** Folds facts into what clients see. Reads no clock: the same log gives the same sandboxes. */
public final class SandboxHistory {
  private SandboxHistory() {}

  /**
   * The sandbox after the event; as it was when the event is not news to it.
   *
   * @throws IllegalStateException when the history does not begin with its request
   */
  public static Sandbox after(Optional<Sandbox> before, SandboxEvent event) {
    EventHeader header = event.header();
    if (before.isPresent() && before.get().version() >= header.version()) {
      return before.get();
    }
    Sandbox base =
        event.fact() instanceof Fact.SandboxRequested requested
            ? begun(header, requested)
            : before.orElseThrow(
                () -> new IllegalStateException("No history before " + header.eventId()));
    Sandbox next = changed(base, event.fact(), header.at(), header.statusAfter());
    Times times = next.times().in(header.statusAfter(), header.at());
    SandboxSpec spec =
        header.statusAfter() == Status.DESTROYED
            ? next.spec().withEnv(new SealedEnv(next.spec().envNames(), null))
            : next.spec();
    return new Sandbox(
        next.id(),
        next.orgId(),
        spec,
        header.statusAfter(),
        times,
        next.reason(),
        header.nodeId(),
        header.incarnation(),
        header.version());
  }

  private static Sandbox begun(EventHeader header, Fact.SandboxRequested requested) {
    return new Sandbox(
        header.sandboxId(),
        header.orgId(),
        requested.spec(),
        header.statusAfter(),
        new Times(header.at(), null, requested.expiresAt(), null, null, null),
        null,
        header.nodeId(),
        header.incarnation(),
        header.version());
  }

  private static Sandbox changed(Sandbox sandbox, Fact fact, Instant at, Status after) {
    Times times = sandbox.times();
    return switch (fact) {
      case Fact.SandboxStarted _ -> with(sandbox, times.started(at));
      case Fact.TimeoutExtended extended -> with(sandbox, times.expiringAt(extended.expiresAt()));
      case Fact.ActivityRecorded _, Fact.ExecutionStarted _, Fact.ExecutionFinished _ ->
          with(sandbox, times.activeAt(at));
      case Fact.SandboxResumed _ -> because(with(sandbox, times.activeAt(at)), null);
      // Asked to sleep deeper, it sleeps for the reason that it has until it does.
      case Fact.SuspendRequested asked ->
          sandbox.reason() == null
              ? because(sandbox, new Reason(asked.reason(), why(asked.reason()) + "."))
              : sandbox;
      case Fact.SandboxSuspended suspended ->
          because(
              sandbox,
              new Reason(
                  suspended.reason(), why(suspended.reason()) + "; " + kept(suspended.depth())));
      case Fact.SuspendFailed _ -> after == Status.RUNNING ? because(sandbox, null) : sandbox;
      case Fact.ResumeRequested _ -> because(sandbox, null);
      case Fact.ResumeFailed failed ->
          because(sandbox, new Reason(Reason.WAKE_FAILED, failed.detail()));
      case Fact.StopRequested stop -> because(sandbox, new Reason(stop.reason(), stop.detail()));
      case Fact.SandboxEnded ended -> because(sandbox, new Reason(ended.reason(), ended.detail()));
      case Fact.EgressChanged change ->
          new Sandbox(
              sandbox.id(),
              sandbox.orgId(),
              sandbox.spec().withEgress(change.egress()),
              sandbox.status(),
              times,
              sandbox.reason(),
              sandbox.nodeId(),
              sandbox.incarnation(),
              sandbox.version());
      case Fact.SandboxRequested _, Fact.PlacementChanged _, Fact.RequestRefused _ -> sandbox;
    };
  }

  private static String why(String reason) {
    return switch (reason) {
      case "idle" -> "It was idle";
      case "requested" -> "It was suspended on request";
      case "memory" -> "Its node wanted the memory back";
      case "exited" -> "Its processes ended by themselves";
      case "node_lost" -> "Its node was lost";
      case "node_returned" -> "Its node found it awake";
      default -> reason;
    };
  }

  private static String kept(String depth) {
    return depth.equals("frozen") ? "its memory is kept." : "its files are kept.";
  }

  private static Sandbox with(Sandbox sandbox, Times times) {
    return new Sandbox(
        sandbox.id(),
        sandbox.orgId(),
        sandbox.spec(),
        sandbox.status(),
        times,
        sandbox.reason(),
        sandbox.nodeId(),
        sandbox.incarnation(),
        sandbox.version());
  }

  private static Sandbox because(Sandbox sandbox, Reason reason) {
    return new Sandbox(
        sandbox.id(),
        sandbox.orgId(),
        sandbox.spec(),
        sandbox.status(),
        sandbox.times(),
        reason,
        sandbox.nodeId(),
        sandbox.incarnation(),
        sandbox.version());
  }
}
