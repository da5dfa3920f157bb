package io.sandglass.engine.lifecycle;

import java.time.Instant;
import java.util.Optional;

/**
 * Decides what a node's word changes. Two fences keep late words out: a report about another
 * incarnation changes nothing, and the answer to a suspend or resume must name the newest order.
 * Starts need no second fence, as every incarnation is asked to start once; that it exited or is
 * gone is true whatever was asked.
 */
final class Reports {
  private Reports() {}

  static Decision decide(Sandbox.Live live, Command.Report report, Scribe scribe) {
    return fromCurrentLife(live, report)
        ? ofCurrentLife(live, report, scribe)
        : unclaimed(
            report,
            "incarnation %d on node %s has taken over"
                .formatted(live.tenure().incarnation(), live.tenure().node()));
  }

  /** A container that belongs to nobody must not stay, whatever the report was about. */
  static Decision unclaimed(Command.Report report, String why) {
    return switch (report) {
      case Command.Started _,
          Command.FellAsleep _,
          Command.SuspendFailed _,
          Command.Resumed _,
          Command.ResumeFailed _,
          Command.Exited _,
          Command.Observed _,
          Command.MemoryWanted _ ->
          new Decision.Disowned(why);
      case Command.StartFailed _, Command.Refused _, Command.Gone _, Command.ExecutionEnded _ ->
          new Decision.Ignored(why);
    };
  }

  private static boolean fromCurrentLife(Sandbox.Live live, Command.Report report) {
    return report.origin().incarnation() == live.tenure().incarnation()
        && report.origin().node().equals(live.tenure().node());
  }

  private static Decision ofCurrentLife(Sandbox.Live live, Command.Report report, Scribe scribe) {
    Stage stage = live.stage();
    return switch (report) {
      case Command.Started started ->
          stage instanceof Stage.Starting
              ? scribe.write(new Fact.SandboxStarted(started.warm()))
              : late(stage);
      case Command.StartFailed failed ->
          stage instanceof Stage.Starting
              ? scribe.write(
                  new Fact.SandboxEnded(EndReason.START_FAILED, failed.detail(), Optional.empty()))
              : goneAfterAll(stage, failed.detail(), scribe);
      case Command.Refused refused ->
          stage instanceof Stage.Starting
              ? Decider.placeElsewhere(
                  live, refused.next(), EndReason.START_FAILED, refused.detail(), scribe)
              : goneAfterAll(stage, refused.detail(), scribe);
      case Command.FellAsleep asleep ->
          stage instanceof Stage.Suspending asked && answers(report, asked.order())
              ? scribe.write(
                  new Fact.SandboxSuspended(asleep.depth(), asked.reason(), Optional.empty()))
              : late(stage);
      case Command.SuspendFailed failed ->
          stage instanceof Stage.Suspending asked && answers(report, asked.order())
              ? scribe.write(new Fact.SuspendFailed(failed.detail()))
              : late(stage);
      case Command.Resumed _ ->
          stage instanceof Stage.Resuming asked && answers(report, asked.order())
              ? scribe.write(new Fact.SandboxResumed())
              : late(stage);
      case Command.ResumeFailed failed ->
          stage instanceof Stage.Resuming asked && answers(report, asked.order())
              ? scribe.write(new Fact.ResumeFailed(failed.detail()))
              : late(stage);
      case Command.Exited exited -> exited(live, exited, scribe);
      case Command.Gone gone -> gone(stage, gone.detail(), scribe);
      case Command.Observed observed -> observed(live, observed.phase(), scribe);
      case Command.MemoryWanted _ ->
          stage instanceof Stage.Suspended(Depth depth, Instant _) && depth == Depth.FROZEN
              ? scribe.write(new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.MEMORY, 1))
              : late(stage);
      case Command.ExecutionEnded ended -> {
        InFlight execution = live.tenure().inFlight().get(ended.executionId());
        yield execution == null
            ? new Decision.Ignored("the execution is not in flight")
            : scribe.write(
                new Fact.ExecutionFinished(ended.executionId(), execution.kind(), ended.result()));
      }
    };
  }

  private static Decision exited(Sandbox.Live live, Command.Exited exited, Scribe scribe) {
    return switch (live.stage()) {
      case Stage.Starting _ ->
          scribe.write(new Fact.StopRequested(EndReason.START_FAILED, exited.detail(), 1));
      case Stage.Running _, Stage.Suspending _ ->
          switch (live.tenure().spec().mode()) {
            case Mode.Ephemeral _ ->
                scribe.write(
                    new Fact.StopRequested(
                        exited.oomKilled() ? EndReason.OOM_KILLED : EndReason.EXITED,
                        exited.detail(),
                        1));
            case Mode.Persistent _ -> stoppedByItself(scribe);
          };
      case Stage.Suspended(Depth depth, Instant _) ->
          depth == Depth.FROZEN ? stoppedByItself(scribe) : late(live.stage());
      // Its memory is lost, so it can only be woken from its files.
      case Stage.Resuming asked when answers(exited, asked.order()) ->
          asked.depth() == Depth.FROZEN
              ? scribe.write(new Fact.ResumeRequested(Depth.STOPPED, 1))
              : stoppedByItself(scribe);
      // It exited before the node came to the resume, whose answer is still to come.
      case Stage.Resuming _ -> late(live.stage());
      case Stage.Stopping _ -> late(live.stage());
    };
  }

  private static Decision stoppedByItself(Scribe scribe) {
    return scribe.write(
        new Fact.SandboxSuspended(Depth.STOPPED, SuspendReason.EXITED, Optional.empty()));
  }

  private static Decision gone(Stage stage, String detail, Scribe scribe) {
    return switch (stage) {
      case Stage.Stopping stopping ->
          scribe.write(
              new Fact.SandboxEnded(stopping.reason(), stopping.detail(), Optional.empty()));
      case Stage.Starting _ ->
          scribe.write(new Fact.SandboxEnded(EndReason.START_FAILED, detail, Optional.empty()));
      case Stage.Running _, Stage.Suspending _, Stage.Suspended _, Stage.Resuming _ ->
          scribe.write(new Fact.SandboxEnded(EndReason.RUNTIME_LOST, detail, Optional.empty()));
    };
  }

  /**
   * The container that the node had set aside was lost before the node came to the order, and no
   * other could be made. Any other start is over before a sandbox is in a later stage.
   */
  private static Decision goneAfterAll(Stage stage, String detail, Scribe scribe) {
    return stage instanceof Stage.Stopping ? late(stage) : gone(stage, detail, scribe);
  }

  /**
   * What a node finds may differ from what is known here when it, its executor or its runtime was
   * away. The node is then asked for what should be, so that a finding that is already out of date
   * does no harm. While an order is unanswered, the answer will tell.
   */
  private static Decision observed(Sandbox.Live live, Command.Phase found, Scribe scribe) {
    return switch (live.stage()) {
      case Stage.Running _ ->
          switch (live.tenure().spec().mode()) {
            case Mode.Ephemeral _ ->
                found == Command.Phase.STOPPED
                    ? scribe.write(
                        new Fact.StopRequested(EndReason.EXITED, "it was found stopped", 1))
                    : belongs();
            case Mode.Persistent _ ->
                switch (found) {
                  case RUNNING -> belongs();
                  case FROZEN -> scribe.write(new Fact.ResumeRequested(Depth.FROZEN, 1));
                  case STOPPED ->
                      scribe.write(
                          new Fact.SuspendRequested(Depth.STOPPED, SuspendReason.EXITED, 1));
                };
          };
      case Stage.Suspended(Depth depth, Instant _) ->
          switch (depth) {
            case FROZEN ->
                switch (found) {
                  case RUNNING -> backToSleep(Depth.FROZEN, scribe);
                  case FROZEN -> belongs();
                  case STOPPED -> stoppedByItself(scribe);
                };
            case STOPPED ->
                found == Command.Phase.STOPPED ? belongs() : backToSleep(Depth.STOPPED, scribe);
          };
      case Stage.Starting _, Stage.Suspending _, Stage.Resuming _, Stage.Stopping _ -> belongs();
    };
  }

  private static Decision backToSleep(Depth depth, Scribe scribe) {
    return scribe.write(new Fact.SuspendRequested(depth, SuspendReason.NODE_RETURNED, 1));
  }

  private static Decision belongs() {
    return new Decision.Ignored("it belongs there");
  }

  private static boolean answers(Command.Report report, long order) {
    return report.origin().orderVersion() == order;
  }

  private static Decision late(Stage stage) {
    return new Decision.Ignored("it comes too late: the sandbox is " + stage);
  }
}
