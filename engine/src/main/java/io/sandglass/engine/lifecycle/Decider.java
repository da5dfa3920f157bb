package io.sandglass.engine.lifecycle;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * Decides what a command changes. Total: every command in every state has an answer, and none
 * throws.
 */
public final class Decider {
  private Decider() {}

  /**
   * What becomes of {@code command} in {@code state}, decided at {@code now}.
   *
   * @param now of what is finer than a millisecond nothing is kept: the log doesn't keep it either
   */
  public static Decision decide(Sandbox state, Command command, Instant now) {
    Instant at = now.truncatedTo(ChronoUnit.MILLIS);
    return switch (command) {
      case Command.Request request -> Requests.decide(state, request, at);
      case Command.Report report ->
          state instanceof Sandbox.Live live
              ? Reports.decide(live, report, scribe(live, command, at))
              : Reports.unclaimed(report, "no such sandbox lives");
      case Command.Elapse(Deadline deadline) ->
          state instanceof Sandbox.Live live && Deadline.of(live).contains(deadline)
              ? elapse(live, deadline, scribe(live, command, at))
              : new Decision.Ignored("the deadline is no longer due: " + deadline);
      case Command.LoseNode lost ->
          state instanceof Sandbox.Live live && live.tenure().node().equals(lost.node())
              ? loseNode(live, lost, scribe(live, command, at))
              : new Decision.Ignored("the sandbox is not on node " + lost.node());
    };
  }

  private static Scribe scribe(Sandbox.Live live, Command command, Instant at) {
    return new Scribe(live, command, live.tenure().org(), at);
  }

  private static Decision elapse(Sandbox.Live live, Deadline deadline, Scribe scribe) {
    return switch (deadline.kind()) {
      case EXPIRY ->
          scribe.write(new Fact.StopRequested(EndReason.EXPIRED, "its timeout ran out", 1));
      case IDLE -> scribe.write(new Fact.SuspendRequested(Depth.FROZEN, SuspendReason.IDLE, 1));
      case START ->
          scribe.write(
              new Fact.StopRequested(
                  EndReason.START_FAILED,
                  "node %s did not start it within %d s"
                      .formatted(
                          live.tenure().node(),
                          live.tenure().spec().patience().start().toSeconds()),
                  1));
      case FREEZE ->
          scribe.write(new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.MEMORY, 1));
      case SUSPEND, RESUME, STOP -> askAgain(live.stage(), scribe);
    };
  }

  /** What a node does not answer is asked again and counted, never forgotten. */
  private static Decision askAgain(Stage stage, Scribe scribe) {
    return switch (stage) {
      case Stage.Suspending asked ->
          scribe.write(
              new Fact.SuspendRequested(asked.depth(), asked.reason(), asked.attempt() + 1));
      case Stage.Resuming asked ->
          scribe.write(new Fact.ResumeRequested(asked.depth(), asked.attempt() + 1));
      case Stage.Stopping asked ->
          scribe.write(new Fact.StopRequested(asked.reason(), asked.detail(), asked.attempt() + 1));
      case Stage.Starting _, Stage.Running _, Stage.Suspended _ ->
          new Decision.Ignored("nothing was asked of the node");
    };
  }

  private static Decision loseNode(Sandbox.Live live, Command.LoseNode lost, Scribe scribe) {
    Optional<Instant> aliveUntil = Optional.of(lost.aliveUntil());
    String detail = "node %s was last heard of at %s".formatted(lost.node(), lost.aliveUntil());
    return switch (live.stage()) {
      case Stage.Stopping stopping ->
          scribe.write(
              new Fact.SandboxEnded(
                  stopping.reason(), stopping.detail() + "; " + detail, aliveUntil));
      case Stage.Starting _ ->
          placeElsewhere(live, lost.next(), EndReason.NODE_LOST, detail, scribe);
      case Stage.Suspended(Depth depth, Instant _) when depth == Depth.STOPPED ->
          new Decision.Ignored("it sleeps on node " + lost.node() + " until that returns");
      case Stage.Running _, Stage.Suspending _, Stage.Suspended _, Stage.Resuming _ ->
          switch (live.tenure().spec().mode()) {
            case Mode.Ephemeral _ ->
                scribe.write(new Fact.SandboxEnded(EndReason.NODE_LOST, detail, aliveUntil));
            case Mode.Persistent _ ->
                scribe.write(
                    new Fact.SandboxSuspended(Depth.STOPPED, SuspendReason.NODE_LOST, aliveUntil));
          };
    };
  }

  /** Tries the next node, unless there is none or enough were tried. */
  static Decision placeElsewhere(
      Sandbox.Live live, Optional<String> next, EndReason otherwise, String detail, Scribe scribe) {
    int incarnation = live.tenure().incarnation();
    return next.isPresent() && incarnation < live.tenure().spec().patience().maxPlacements()
        ? scribe.write(
            new Fact.PlacementChanged(next.get(), incarnation + 1, live.tenure().node(), detail))
        : scribe.write(new Fact.SandboxEnded(otherwise, detail, Optional.empty()));
  }
}
