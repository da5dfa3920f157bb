package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Commands at random, mostly such as make sense in the state they are said in. */
final class RandomCommands {
  private static final List<Command.Caller> STRANGERS =
      List.of(
          Commands.STRANGER,
          new Command.Caller(Optional.empty(), "nobody", Optional.empty(), Optional.empty()));

  /** What a client may send, and what only a broken one would. */
  private static final List<Duration> DURATIONS =
      List.of(
          Duration.ofSeconds(30),
          Duration.ofSeconds(1),
          Duration.ofMinutes(5),
          Duration.ofHours(1),
          Duration.ofHours(24),
          Duration.ofHours(25),
          Duration.ofMillis(1),
          Duration.ZERO,
          Duration.ofSeconds(-5),
          Duration.ofMillis(Long.MAX_VALUE),
          Duration.ofMillis(Long.MIN_VALUE));

  private static final int USUAL = 7;

  private final Random random;

  RandomCommands(Random random) {
    this.random = random;
  }

  int upTo(int bound) {
    return random.nextInt(bound + 1);
  }

  <T> T oneOf(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  private Duration duration() {
    return upTo(9) < 7 ? usualDuration() : oneOf(DURATIONS);
  }

  private Duration usualDuration() {
    return DURATIONS.get(random.nextInt(USUAL));
  }

  private Optional<String> nextNode() {
    return random.nextBoolean() ? Optional.of("node-" + upTo(3)) : Optional.empty();
  }

  private String executionId() {
    return "exe_" + upTo(4);
  }

  private Command.Caller client(Sandbox state) {
    if (random.nextInt(12) == 0) {
      return oneOf(STRANGERS);
    }
    return switch (state) {
      case Sandbox.Absent _ -> Commands.OWNER;
      case Sandbox.Live live -> Commands.client(live.tenure().org());
      case Sandbox.Ended ended -> Commands.client(ended.org());
    };
  }

  private Patience patience() {
    return new Patience(
        Duration.ofMillis(1 + upTo(60_000)),
        Duration.ofMillis(1 + upTo(10_000)),
        Duration.ofMillis(1 + upTo(10_000)),
        Duration.ofMillis(1 + upTo(10_000)),
        Duration.ofMillis(random.nextBoolean() ? 0 : upTo(600_000)),
        Duration.ofHours(24),
        1 + upTo(4));
  }

  private Spec spec() {
    return new Spec(
        new Template("tpl_1", "python", "sandglass/python:0.1.0"),
        random.nextInt(3) == 0
            ? new Mode.Ephemeral(usualDuration())
            : new Mode.Persistent(usualDuration()),
        new Size("shared-cpu-1x", 1000, 256L << 20),
        egress(),
        random.nextBoolean() ? List.of("TOKEN", "PATH_2") : List.of(),
        random.nextBoolean() ? Optional.of("c2VhbGVk") : Optional.empty(),
        random.nextBoolean() ? Map.of("team", "blue", "ünï", "") : Map.of(),
        patience(),
        random.nextBoolean() ? Optional.of("print-" + upTo(1)) : Optional.empty());
  }

  private Optional<Long> thawed(Sandbox state) {
    return random.nextBoolean() ? Optional.empty() : Optional.of(state.version() - upTo(1));
  }

  private Egress egress() {
    return switch (upTo(2)) {
      case 0 -> Commands.OPEN;
      case 1 -> Commands.CLOSED;
      default ->
          new Egress(
              "deny_all", List.of("198.51.100.0/24"), List.of("198.51.100.7/32"), List.of(80, 443));
    };
  }

  Command request(Sandbox state) {
    Command.Caller client = client(state);
    if (state instanceof Sandbox.Absent && upTo(3) > 0) {
      return new Command.Create(client, spec(), Optional.of(Commands.NODE), random.nextBoolean());
    }
    return switch (upTo(22)) {
      case 22 ->
          Commands.refusal(
              state instanceof Sandbox.Absent ? Commands.OWNER : client,
              oneOf(List.of(Command.Subject.values())));
      case 0, 1 -> new Command.Create(client, spec(), nextNode(), random.nextBoolean());
      case 2, 3 ->
          new Command.KeepAlive(
              client, random.nextBoolean() ? Optional.of(duration()) : Optional.empty());
      case 4, 5, 6 -> new Command.Suspend(client);
      case 7, 8, 9 -> new Command.Wake(client);
      case 10 -> new Command.Destroy(client);
      case 11, 12 -> new Command.ChangeEgress(client, egress());
      case 13, 14, 15, 16, 17 ->
          new Command.BeginExecution(
              client,
              executionId(),
              oneOf(List.of(ExecutionKind.values())),
              "make",
              duration(),
              thawed(state));
      default -> new Command.Touch(client, "files", thawed(state));
    };
  }

  /** What a node says that does what it is asked to. */
  Command answer(Sandbox state) {
    if (!(state instanceof Sandbox.Live live)) {
      return request(state);
    }
    Command.Origin origin = origin(live);
    return switch (live.stage()) {
      case Stage.Starting _ -> Commands.started(origin);
      case Stage.Running _ -> Commands.ended(origin, executionId());
      case Stage.Suspending asked ->
          Commands.fellAsleep(origin, upTo(9) == 0 ? Depth.STOPPED : asked.depth());
      case Stage.Suspended(Depth depth, Instant _) ->
          Commands.observed(
              origin, depth == Depth.FROZEN ? Command.Phase.FROZEN : Command.Phase.STOPPED);
      case Stage.Resuming _ -> Commands.resumed(origin);
      case Stage.Stopping _ ->
          upTo(2) == 0 ? Commands.gone(origin) : Commands.ended(origin, executionId());
    };
  }

  /** What a node may say at any time: out of place, out of date, of another life. */
  Command report(Sandbox state) {
    Command.Origin current = origin(state);
    Command.Origin origin =
        new Command.Origin(
            upTo(7) == 0 ? "node-" + upTo(3) : current.node(),
            upTo(7) == 0 ? upTo(4) : current.incarnation(),
            switch (upTo(3)) {
              case 0 -> 0;
              case 1 -> upTo((int) state.version() + 1);
              default -> current.orderVersion();
            });
    return switch (upTo(16)) {
      case 0 -> Commands.started(origin);
      case 1 -> upTo(2) == 0 ? Commands.startFailed(origin) : Commands.suspendFailed(origin);
      case 2 -> new Command.Refused(Commands.EXECUTOR, origin, "no room", nextNode());
      case 3 -> Commands.fellAsleep(origin, oneOf(List.of(Depth.values())));
      case 4, 5 -> Commands.suspendFailed(origin);
      case 6 -> Commands.resumed(origin);
      case 7, 8 -> Commands.resumeFailed(origin);
      case 9 -> upTo(2) == 0 ? Commands.exited(origin) : Commands.started(origin);
      case 10 -> upTo(2) == 0 ? Commands.outOfMemory(origin) : Commands.resumed(origin);
      case 11 -> upTo(4) == 0 ? Commands.gone(origin) : Commands.suspendFailed(origin);
      case 12, 13 -> Commands.observed(origin, oneOf(List.of(Command.Phase.values())));
      case 14 -> Commands.memoryWanted(origin);
      default ->
          new Command.ExecutionEnded(
              Commands.EXECUTOR,
              origin,
              executionId(),
              new ExecutionResult(
                  random.nextBoolean() ? Optional.of(upTo(255)) : Optional.empty(),
                  random.nextBoolean(),
                  random.nextBoolean(),
                  upTo(9),
                  upTo(9),
                  upTo(9),
                  Duration.ofMillis(upTo(5_000)),
                  random.nextBoolean() ? Optional.of("the stream broke") : Optional.empty()));
    };
  }

  Command lossOf(Sandbox state, Instant now) {
    return new Command.LoseNode(
        upTo(3) == 0 ? "node-9" : origin(state).node(),
        now.minusMillis(upTo(20_000)).truncatedTo(ChronoUnit.MILLIS),
        nextNode());
  }

  /** Where a node speaks from that answers the newest order. */
  static Command.Origin origin(Sandbox state) {
    return switch (state) {
      case Sandbox.Absent _ -> new Command.Origin(Commands.NODE, 1, 0);
      case Sandbox.Live live ->
          new Command.Origin(live.tenure().node(), live.tenure().incarnation(), order(live));
      case Sandbox.Ended ended -> new Command.Origin(ended.node(), ended.incarnation(), 0);
    };
  }

  /** The order that is unanswered; 0 if none is. */
  static long order(Sandbox state) {
    return state instanceof Sandbox.Live live
        ? switch (live.stage()) {
          case Stage.Starting asked -> asked.order();
          case Stage.Suspending asked -> asked.order();
          case Stage.Resuming asked -> asked.order();
          case Stage.Stopping asked -> asked.order();
          case Stage.Running _, Stage.Suspended _ -> 0;
        }
        : 0;
  }
}
