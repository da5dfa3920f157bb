package io.sandglass.engine.stream;

import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.Decider;
import io.sandglass.engine.lifecycle.Decision;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Evolution;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Sandbox;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One command and all it leads to, before any of it is written: what can fail has failed here.
 *
 * @param changes the decided events, each with the state after it
 */
record Step(Sandbox before, Decision decision, List<Change> changes) {

  /** An event and the state after it. */
  record Change(Event event, Sandbox after) {

    /** The node that has to act on the event, if one has to. */
    Optional<String> asked() {
      return switch (event.fact()) {
        case Fact.SandboxRequested _,
            Fact.PlacementChanged _,
            Fact.SuspendRequested _,
            Fact.ResumeRequested _,
            Fact.EgressChanged _,
            Fact.StopRequested _ ->
            node();
        case Fact.SandboxStarted _,
            Fact.SandboxSuspended _,
            Fact.SuspendFailed _,
            Fact.SandboxResumed _,
            Fact.ResumeFailed _,
            Fact.ActivityRecorded _,
            Fact.TimeoutExtended _,
            Fact.ExecutionStarted _,
            Fact.ExecutionFinished _,
            Fact.SandboxEnded _,
            Fact.RequestRefused _ ->
            Optional.empty();
      };
    }

    private Optional<String> node() {
      return switch (after) {
        case Sandbox.Live live -> Optional.of(live.tenure().node());
        case Sandbox.Absent _, Sandbox.Ended _ -> Optional.empty();
      };
    }
  }

  static Step take(Sandbox before, Command command, Instant now) {
    Decision decision = Decider.decide(before, command, now);
    List<Change> changes = new ArrayList<>();
    if (decision instanceof Decision.Accepted(List<Event> events)) {
      Sandbox state = before;
      for (Event event : events) {
        state = Evolution.evolve(state, event);
        changes.add(new Change(event, state));
      }
    }
    return new Step(before, decision, changes);
  }

  /** The node that was last asked for something. */
  Optional<String> asked() {
    return changes.isEmpty() ? Optional.empty() : changes.getLast().asked();
  }

  Sandbox after() {
    return changes.isEmpty() ? before : changes.getLast().after();
  }
}
