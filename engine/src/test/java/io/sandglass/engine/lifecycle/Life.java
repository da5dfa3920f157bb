package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One sandbox in a test: a clock of its own, its state, its history, and ways into every stage. */
final class Life {
  static final Instant DAWN = Instant.parse("2026-11-01T12:00:00Z");

  private final List<Event> log = new ArrayList<>();
  private Instant now = DAWN;
  private Sandbox state = new Sandbox.Absent();

  /** Asked for at {@link #DAWN}. */
  static Life of(Spec spec) {
    Life life = new Life();
    life.say(Commands.create(spec));
    return life;
  }

  static Life ephemeral() {
    return of(Commands.spec(Commands.EPHEMERAL));
  }

  static Life persistent() {
    return of(Commands.spec(Commands.PERSISTENT));
  }

  Sandbox state() {
    return state;
  }

  Instant now() {
    return now;
  }

  List<Event> log() {
    return log;
  }

  Tenure tenure() {
    return live().tenure();
  }

  Stage stage() {
    return live().stage();
  }

  Status status() {
    return Status.of(state);
  }

  private Sandbox.Live live() {
    if (state instanceof Sandbox.Live live) {
      return live;
    }
    throw new AssertionError("Expected a living sandbox, but it is " + state);
  }

  /** Decides and folds what was decided. */
  Decision say(Command command) {
    Decision decision = Decider.decide(state, command, now);
    if (decision instanceof Decision.Accepted(List<Event> events)) {
      for (Event event : events) {
        state = Evolution.evolve(state, event);
        log.add(event);
      }
    }
    return decision;
  }

  Life and(Command command) {
    say(command);
    return this;
  }

  /** What a command brought about, without the circumstances. */
  List<Fact> facts(Command command) {
    return say(command) instanceof Decision.Accepted(List<Event> events)
        ? events.stream().map(Event::fact).toList()
        : List.of();
  }

  /** Lets time pass; nothing comes due by itself. */
  Life after(Duration wait) {
    now = now.plus(wait);
    return this;
  }

  Optional<Instant> due(Deadline.Kind kind) {
    return Deadline.of(state).stream()
        .filter(deadline -> deadline.kind() == kind)
        .map(Deadline::due)
        .findAny();
  }

  /** Lets time pass until the deadline and fires it. */
  Life elapse(Deadline.Kind kind) {
    now =
        due(kind)
            .orElseThrow(() -> new AssertionError("Expected " + kind + " to be due in " + state));
    say(new Command.Elapse(new Deadline(kind, now)));
    return this;
  }

  /** The node's answer to the newest order. */
  Command.Origin origin() {
    long order =
        switch (stage()) {
          case Stage.Starting asked -> asked.order();
          case Stage.Suspending asked -> asked.order();
          case Stage.Resuming asked -> asked.order();
          case Stage.Stopping asked -> asked.order();
          case Stage.Running _, Stage.Suspended _ -> 0;
        };
    return new Command.Origin(tenure().node(), tenure().incarnation(), order);
  }

  Life running() {
    return and(Commands.started(origin()));
  }

  Life executing() {
    return and(Commands.begin("exe_1"));
  }

  Life suspending() {
    return running().elapse(Deadline.Kind.IDLE);
  }

  Life frozen() {
    suspending();
    return and(Commands.fellAsleep(origin(), Depth.FROZEN));
  }

  Life deepening() {
    return frozen().elapse(Deadline.Kind.FREEZE);
  }

  Life stopped() {
    deepening();
    return and(Commands.fellAsleep(origin(), Depth.STOPPED));
  }

  Life sentBackToSleep() {
    stopped();
    return and(Commands.observed(origin(), Command.Phase.RUNNING));
  }

  Life resuming() {
    return frozen().and(Commands.wake());
  }

  Life stopping() {
    return and(Commands.destroy());
  }

  Life ended() {
    stopping();
    return and(Commands.gone(origin()));
  }
}
