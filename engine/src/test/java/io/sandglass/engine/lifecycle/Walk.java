package io.sandglass.engine.lifecycle;

import io.sandglass.engine.lifecycle.Transitions.Transition;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * One random history: requests of right and wrong organizations, a node that answers well, badly,
 * late or twice, a clock that jumps and sometimes steps back. The rules are checked after every
 * step.
 */
final class Walk {

  /** Something to be passed through on the way from what is decided to what is folded. */
  interface RoundTrip {
    Event event(Event event, Sandbox after);

    Sandbox state(Sandbox state);
  }

  private final RandomCommands random;
  private final RoundTrip roundTrip;
  private final Set<Transition> taken;
  private final List<Event> log = new ArrayList<>();
  private final List<Command> said = new ArrayList<>();
  private final List<Deadline> seen = new ArrayList<>();
  private final Set<String> running = new HashSet<>();
  private Instant now = Life.DAWN;
  private Sandbox state = new Sandbox.Absent();
  private Sandbox replica = new Sandbox.Absent();
  private int ends;

  Walk(long seed, RoundTrip roundTrip, Set<Transition> taken) {
    this.random = new RandomCommands(new Random(seed));
    this.roundTrip = roundTrip;
    this.taken = taken;
  }

  List<Event> log() {
    return List.copyOf(log);
  }

  void run() {
    try {
      for (int steps = random.upTo(70); steps >= 0; steps--) {
        passTime();
        step();
      }
      leaveAlone();
      finish();
    } catch (RuntimeException | AssertionError broken) {
      StringBuilder story = new StringBuilder("At " + now + " in " + state + "\nafter");
      log.forEach(event -> story.append("\n  ").append(event));
      story.append("\nlast said: ").append(said.isEmpty() ? "nothing" : said.getLast());
      throw new AssertionError(story.toString(), broken);
    }
  }

  private void passTime() {
    now =
        switch (random.upTo(9)) {
          case 0, 1 -> now;
          case 2 -> now.minusMillis(random.upTo(3_000));
          case 3 -> now.plusSeconds(random.upTo(7_200));
          default -> now.plusNanos(random.upTo(1_000_000_000) * 7L);
        };
  }

  private void step() {
    int choice = random.upTo(99);
    if (choice < 28) {
      say(random.answer(state));
    } else if (choice < 58) {
      say(random.request(state));
    } else if (choice < 72) {
      say(random.report(state));
    } else if (choice < 90) {
      fireTheNext();
    } else if (choice < 94) {
      seen.stream().filter(this::isDue).findAny().map(Command.Elapse::new).ifPresent(this::say);
    } else if (choice < 96) {
      say(random.lossOf(state, now));
    } else if (!said.isEmpty()) {
      sayAgain(random.oneOf(said));
    }
  }

  /** What has elapsed once may not be due any more by a clock that was put back. */
  private void sayAgain(Command command) {
    if (!(command instanceof Command.Elapse(Deadline deadline)) || isDue(deadline)) {
      say(command);
    }
  }

  private void fireTheNext() {
    for (Deadline next : earliest(state).filter(Walk::isOfThisAge).stream().toList()) {
      now = isDue(next) ? now : next.due();
      say(new Command.Elapse(next));
    }
  }

  /** Some broken clients' durations reach to the end of time, where no clock may go. */
  private static boolean isOfThisAge(Deadline deadline) {
    return deadline.due().isBefore(Life.DAWN.plus(Duration.ofDays(3_650)));
  }

  private boolean isDue(Deadline deadline) {
    return !deadline.due().isAfter(now);
  }

  private static Optional<Deadline> earliest(Sandbox sandbox) {
    return Deadline.of(sandbox).stream().min((one, other) -> one.due().compareTo(other.due()));
  }

  private Decision say(Command command) {
    said.add(command);
    Sandbox before = state;
    Decision decision = Decider.decide(before, command, now);
    checkAnswer(before, command, decision);
    if (decision instanceof Decision.Accepted(List<Event> events)) {
      for (Event event : events) {
        checkHeader(event, command);
        Sandbox next = Evolution.evolve(state, event);
        replica = Evolution.evolve(replica, roundTrip.event(event, next));
        checkTransition(Transition.of(state, event, next));
        follow(event.fact(), next);
        state = next;
        log.add(event);
      }
    }
    if (!state.equals(before)) {
      checkState(before);
    }
    return decision;
  }

  private void checkAnswer(Sandbox before, Command command, Decision decision) {
    boolean changes =
        decision instanceof Decision.Accepted(List<Event> events) && !events.isEmpty();
    switch (command) {
      case Command.Request request -> {
        Optional<String> org = orgOf(before);
        if (org.isPresent() && !org.equals(request.caller().org())) {
          require(
              decision instanceof Decision.Rejected rejected
                  && rejected.code() == Rejection.FOREIGN_ORGANIZATION,
              "another organization is turned away");
        }
        require(
            decision instanceof Decision.Accepted || decision instanceof Decision.Rejected,
            "a request is accepted or rejected");
      }
      case Command.Report report -> {
        require(!(decision instanceof Decision.Rejected), "a report is never rejected");
        if (changes) {
          require(
              before instanceof Sandbox.Live live
                  && live.tenure().incarnation() == report.origin().incarnation()
                  && live.tenure().node().equals(report.origin().node()),
              "only the current life is heard");
          require(answersTheNewestOrder(before, report), "only the newest order is answered");
        }
      }
      case Command.Elapse _, Command.LoseNode _ ->
          require(
              decision instanceof Decision.Accepted || decision instanceof Decision.Ignored,
              "time and loss are neither rejected nor disowned");
    }
    require(
        !(changes && before instanceof Sandbox.Ended) || command instanceof Command.NoteRefusal,
        "ended is the end");
    if (command instanceof Command.NoteRefusal) {
      require(
          !changes || Deadline.of(next(before, decision)).equals(Deadline.of(before)),
          "a refusal moves no deadline");
    }
  }

  private static Sandbox next(Sandbox before, Decision decision) {
    return decision instanceof Decision.Accepted(List<Event> events)
        ? Evolution.evolve(before, events.getFirst())
        : before;
  }

  private static boolean answersTheNewestOrder(Sandbox before, Command.Report report) {
    return switch (report) {
      case Command.FellAsleep _,
          Command.SuspendFailed _,
          Command.Resumed _,
          Command.ResumeFailed _ ->
          RandomCommands.order(before) == report.origin().orderVersion();
      case Command.Started _,
          Command.StartFailed _,
          Command.Refused _,
          Command.Exited _,
          Command.Gone _,
          Command.Observed _,
          Command.MemoryWanted _,
          Command.ExecutionEnded _ ->
          true;
    };
  }

  private static Optional<String> orgOf(Sandbox sandbox) {
    return switch (sandbox) {
      case Sandbox.Absent _ -> Optional.empty();
      case Sandbox.Live live -> Optional.of(live.tenure().org());
      case Sandbox.Ended ended -> Optional.of(ended.org());
    };
  }

  private void checkHeader(Event event, Command command) {
    Event.Header header = event.header();
    require(header.version() == log.size() + 1, "versions have no gap");
    require(header.at().equals(now.truncatedTo(ChronoUnit.MILLIS)), "at is when it was decided");
    require(log.isEmpty() || header.org().equals(log.getFirst().header().org()), "the owner stays");
    require(
        header.dueAt().isPresent() == command instanceof Command.Elapse, "due_at tells of a timer");
    require(header.dueAt().filter(due -> due.isAfter(header.at())).isEmpty(), "nothing is early");
  }

  private void checkTransition(Transition transition) {
    require(Transitions.DECLARED.contains(transition), "undeclared: " + transition);
    taken.add(transition);
  }

  /** A second, simpler account of what is in flight. */
  private void follow(Fact fact, Sandbox after) {
    switch (fact) {
      case Fact.ExecutionStarted started ->
          require(running.add(started.executionId()), "an execution begins once");
      case Fact.ExecutionFinished finished ->
          require(running.remove(finished.executionId()), "what ends had begun");
      case Fact.SandboxEnded _ -> ends++;
      default -> {}
    }
    if (after instanceof Sandbox.Live live) {
      running.retainAll(live.tenure().inFlight().keySet());
      require(
          running.equals(live.tenure().inFlight().keySet()),
          "nothing is in flight that did not begin");
    }
  }

  private void checkState(Sandbox before) {
    require(state.version() == log.size(), "the version counts the events");
    require(replica.equals(state), "the fold of the log is the state, not " + replica);
    require(roundTrip.state(state).equals(state), "the stored state is the state");
    List<Deadline> deadlines = Deadline.of(state);
    require(Deadline.of(replica).equals(deadlines), "deadlines follow from the state");
    seen.addAll(deadlines);
    Set<Deadline.Kind> kinds = EnumSet.noneOf(Deadline.Kind.class);
    for (Deadline deadline : deadlines) {
      require(kinds.add(deadline.kind()), "at most one deadline of a kind");
      require(
          Instant.ofEpochMilli(deadline.due().toEpochMilli()).equals(deadline.due()),
          "a deadline is a whole millisecond");
    }
    require(kinds.equals(expectedDeadlines()), "expected other deadlines than " + deadlines);
    checkStatus(Status.of(before), Status.of(state));
    require(incarnation(state) >= incarnation(before), "incarnations only rise");
    require(ends == (state instanceof Sandbox.Ended ? 1 : 0), "it ends exactly once");
    checkDrained(now.plusSeconds(random.upTo(1) * (long) random.upTo(200_000)));
  }

  private Set<Deadline.Kind> expectedDeadlines() {
    Set<Deadline.Kind> expected = EnumSet.noneOf(Deadline.Kind.class);
    if (state instanceof Sandbox.Live live) {
      boolean persistent = live.tenure().spec().mode() instanceof Mode.Persistent;
      if (!persistent && !(live.stage() instanceof Stage.Stopping)) {
        expected.add(Deadline.Kind.EXPIRY);
      }
      switch (live.stage()) {
        case Stage.Starting _ -> expected.add(Deadline.Kind.START);
        case Stage.Suspending _ -> expected.add(Deadline.Kind.SUSPEND);
        case Stage.Resuming _ -> expected.add(Deadline.Kind.RESUME);
        case Stage.Stopping _ -> expected.add(Deadline.Kind.STOP);
        case Stage.Running _ when persistent -> expected.add(Deadline.Kind.IDLE);
        case Stage.Suspended(Depth depth, Instant _) when depth == Depth.FROZEN ->
            expected.add(Deadline.Kind.FREEZE);
        case Stage.Running _, Stage.Suspended _ -> {}
      }
    }
    return expected;
  }

  private static void checkStatus(Status before, Status after) {
    require(
        switch (before) {
          case ABSENT ->
              after == Status.ABSENT || after == Status.CREATING || after == Status.RUNNING;
          case CREATING ->
              after == Status.CREATING || after == Status.RUNNING || after == Status.DESTROYED;
          case RUNNING, SUSPENDED ->
              after == Status.RUNNING || after == Status.SUSPENDED || after == Status.DESTROYED;
          case DESTROYED -> after == Status.DESTROYED;
        },
        "no sandbox goes from %s to %s".formatted(before, after));
  }

  private static int incarnation(Sandbox sandbox) {
    return switch (sandbox) {
      case Sandbox.Absent _ -> 0;
      case Sandbox.Live live -> live.tenure().incarnation();
      case Sandbox.Ended ended -> ended.incarnation();
    };
  }

  /** All that is due at one instant is soon worked off: nothing comes due again by being fired. */
  private void checkDrained(Instant at) {
    Sandbox left = state;
    for (int fired = 0; ; fired++) {
      Optional<Deadline> next = earliest(left).filter(deadline -> !deadline.due().isAfter(at));
      if (next.isEmpty()) {
        return;
      }
      require(fired < Deadline.Kind.values().length, "no deadline spins at one instant");
      left = fire(left, next.get(), at);
    }
  }

  /** Time alone brings every ephemeral sandbox to its end, though its node be silent. */
  private void leaveAlone() {
    Sandbox left = state;
    Instant at = now;
    for (int fired = 0; fired < 2 * Deadline.Kind.values().length; fired++) {
      Optional<Deadline> next = earliest(left).filter(Walk::isOfThisAge);
      if (next.isPresent()) {
        at = next.get().due().isAfter(at) ? next.get().due() : at;
        left = fire(left, next.get(), at);
      }
    }
    if (left instanceof Sandbox.Live live
        && live.tenure().spec().mode() instanceof Mode.Ephemeral) {
      require(Status.of(left) == Status.DESTROYED, "an ephemeral sandbox ends by time alone");
    }
  }

  private static Sandbox fire(Sandbox before, Deadline deadline, Instant at) {
    if (Decider.decide(before, new Command.Elapse(deadline), at)
            instanceof Decision.Accepted(List<Event> events)
        && !events.isEmpty()) {
      Sandbox after = before;
      for (Event event : events) {
        after = Evolution.evolve(after, event);
      }
      return after;
    }
    throw new AssertionError("a deadline of the state always changes it: " + deadline);
  }

  /** Whatever came before, its owner can end it, once. */
  private void finish() {
    if (!(state instanceof Sandbox.Live live)) {
      return;
    }
    Command destroy = new Command.Destroy(Commands.client(live.tenure().org()));
    require(say(destroy) instanceof Decision.Accepted, "destroy is always accepted");
    require(
        say(destroy) instanceof Decision.Accepted(List<Event> again) && again.isEmpty(),
        "destroying twice changes nothing");
    say(Commands.gone(RandomCommands.origin(state)));
    require(state instanceof Sandbox.Ended, "it ended");
    for (int more = 0; more < 5; more++) {
      passTime();
      step();
    }
    Sandbox folded = new Sandbox.Absent();
    for (Event event : log) {
      folded = Evolution.evolve(folded, event);
    }
    require(folded.equals(state), "the whole log folds to the state");
  }

  private static void require(boolean holds, String rule) {
    if (!holds) {
      throw new AssertionError("Broken: " + rule);
    }
  }
}
