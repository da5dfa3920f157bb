package io.sandglass.api.domain;

import io.sandglass.api.domain.Sandbox.Reason;
import io.sandglass.api.domain.Sandbox.Times;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/** Folds facts into what clients see. Reads no clock: the same log gives the same sandboxes. */
public final class SandboxHistory {
  private static final Set<String> ASKED_SUSPENDS = Set.of("idle", "requested", "memory");

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
    Sandbox next = changed(base, event.fact(), header.at());
    Times times =
        header.statusAfter() == Status.DESTROYED
            ? next.times().destroyedAt(header.at())
            : next.times();
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

  private static Sandbox changed(Sandbox sandbox, Fact fact, Instant at) {
    Times times = sandbox.times();
    return switch (fact) {
      case Fact.SandboxStarted _ -> with(sandbox, times.started(at));
      case Fact.TimeoutExtended extended -> with(sandbox, times.expiringAt(extended.expiresAt()));
      case Fact.ActivityRecorded _, Fact.ExecutionStarted _, Fact.ExecutionFinished _ ->
          with(sandbox, times.activeAt(at));
      case Fact.SandboxResumed _ ->
          because(with(sandbox, times.activeAt(at).suspendedAt(null)), null);
      case Fact.SandboxSuspended suspended ->
          because(
              with(sandbox, times.suspendedAt(at)),
              ASKED_SUSPENDS.contains(suspended.reason())
                  ? null
                  : new Reason(suspended.reason(), "The sandbox's files are kept."));
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
      case Fact.SandboxRequested _,
          Fact.PlacementChanged _,
          Fact.SuspendRequested _,
          Fact.SuspendFailed _,
          Fact.ResumeRequested _,
          Fact.ResumeFailed _ ->
          sandbox;
    };
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
