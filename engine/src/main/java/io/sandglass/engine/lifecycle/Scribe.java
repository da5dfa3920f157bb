package io.sandglass.engine.lifecycle;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Writes the facts a command brings about as the next events of one sandbox. */
record Scribe(Sandbox state, Command command, String org, Instant now) {

  Decision.Accepted nothing() {
    return new Decision.Accepted(List.of());
  }

  Decision.Accepted write(Fact... facts) {
    List<Event> events = new ArrayList<>();
    for (Fact fact : facts) {
      events.add(new Event(header(state.version() + events.size() + 1), fact));
    }
    return new Decision.Accepted(events);
  }

  private Event.Header header(long version) {
    Command.Caller caller = command.caller();
    return new Event.Header(
        version,
        now,
        dueAt(),
        cause(),
        org,
        caller.actor(),
        caller.requestId(),
        caller.commandId());
  }

  private Optional<Instant> dueAt() {
    return command instanceof Command.Elapse(Deadline deadline)
        ? Optional.of(deadline.due())
        : Optional.empty();
  }

  private Cause cause() {
    return switch (command) {
      case Command.Request _ -> Cause.COMMAND;
      case Command.Report _ -> Cause.REPORT;
      case Command.Elapse _ -> Cause.DEADLINE;
      case Command.LoseNode _ -> Cause.NODE_LOSS;
    };
  }
}
