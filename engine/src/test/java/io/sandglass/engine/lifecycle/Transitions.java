package io.sandglass.engine.lifecycle;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** Every way from one stage to another, as declared; no other may ever be taken. */
final class Transitions {

  /** From a stage by a fact to a stage. */
  record Transition(String from, String fact, String to) {
    static Transition of(Sandbox before, Event event, Sandbox after) {
      return new Transition(name(before), event.fact().getClass().getSimpleName(), name(after));
    }

    @Override
    public String toString() {
      return "%s - %s -> %s".formatted(from, fact, to);
    }
  }

  private static final String TABLE =
      """
      Absent      SandboxRequested   Starting
      Absent      RequestRefused     Absent

      Starting    SandboxStarted     Running
      Starting    PlacementChanged   Starting
      Starting    EgressChanged      Starting
      Starting    StopRequested      Stopping
      Starting    RequestRefused     Starting
      Starting    SandboxEnded       Ended

      Running     ActivityRecorded   Running
      Running     TimeoutExtended    Running
      Running     EgressChanged      Running
      Running     ExecutionStarted   Running
      Running     ExecutionFinished  Running
      Running     SuspendRequested   Suspending
      Running     SandboxSuspended   Stopped
      Running     ResumeRequested    Resuming
      Running     StopRequested      Stopping
      Running     RequestRefused     Running
      Running     SandboxEnded       Ended

      Suspending  SandboxSuspended   Frozen
      Suspending  SandboxSuspended   Stopped
      Suspending  SuspendFailed      Running
      Suspending  SuspendFailed      Frozen
      Suspending  SuspendRequested   Suspending
      Suspending  EgressChanged      Suspending
      Suspending  ExecutionStarted   Suspending
      Suspending  ExecutionFinished  Suspending
      Suspending  ResumeRequested    Resuming
      Suspending  StopRequested      Stopping
      Suspending  RequestRefused     Suspending
      Suspending  SandboxEnded       Ended

      Frozen      SuspendRequested   Suspending
      Frozen      SandboxSuspended   Stopped
      Frozen      SandboxResumed     Running
      Frozen      EgressChanged      Frozen
      Frozen      ExecutionStarted   Frozen
      Frozen      ExecutionFinished  Frozen
      Frozen      ResumeRequested    Resuming
      Frozen      StopRequested      Stopping
      Frozen      RequestRefused     Frozen
      Frozen      SandboxEnded       Ended

      Stopped     SuspendRequested   Suspending
      Stopped     EgressChanged      Stopped
      Stopped     ExecutionStarted   Stopped
      Stopped     ExecutionFinished  Stopped
      Stopped     ResumeRequested    Resuming
      Stopped     StopRequested      Stopping
      Stopped     RequestRefused     Stopped
      Stopped     SandboxEnded       Ended

      Resuming    SandboxResumed     Running
      Resuming    ResumeFailed       Frozen
      Resuming    ResumeFailed       Stopped
      Resuming    SandboxSuspended   Stopped
      Resuming    ResumeRequested    Resuming
      Resuming    EgressChanged      Resuming
      Resuming    ExecutionStarted   Resuming
      Resuming    ExecutionFinished  Resuming
      Resuming    StopRequested      Stopping
      Resuming    RequestRefused     Resuming
      Resuming    SandboxEnded       Ended

      Stopping    StopRequested      Stopping
      Stopping    ExecutionStarted   Stopping
      Stopping    ExecutionFinished  Stopping
      Stopping    RequestRefused     Stopping
      Stopping    SandboxEnded       Ended

      Ended       RequestRefused     Ended
      """;

  static final Set<Transition> DECLARED =
      TABLE
          .lines()
          .filter(line -> !line.isBlank())
          .map(line -> line.split(" +", -1))
          .map(words -> new Transition(words[0], words[1], words[2]))
          .collect(Collectors.toCollection(LinkedHashSet::new));

  private Transitions() {}

  /** The stage's name; sleep in memory and sleep on disk are told apart. */
  static String name(Sandbox sandbox) {
    return switch (sandbox) {
      case Sandbox.Absent _ -> "Absent";
      case Sandbox.Ended _ -> "Ended";
      case Sandbox.Live live ->
          switch (live.stage()) {
            case Stage.Starting _ -> "Starting";
            case Stage.Running _ -> "Running";
            case Stage.Suspending _ -> "Suspending";
            case Stage.Suspended suspended ->
                switch (suspended.depth()) {
                  case FROZEN -> "Frozen";
                  case STOPPED -> "Stopped";
                };
            case Stage.Resuming _ -> "Resuming";
            case Stage.Stopping _ -> "Stopping";
          };
    };
  }
}
