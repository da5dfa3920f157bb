package io.sandglass.engine.lifecycle;

import static io.sandglass.engine.lifecycle.Command.Phase.FROZEN;
import static io.sandglass.engine.lifecycle.Command.Phase.RUNNING;
import static io.sandglass.engine.lifecycle.Command.Phase.STOPPED;

import io.sandglass.engine.lifecycle.Transitions.Transition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Every command said in every stage. */
final class Cells {

  /**
   * A sandbox in some stage.
   *
   * @param column the stage's name in the tables
   * @param detail what sets it apart from others of this stage
   */
  record Example(String column, String mode, String detail, Life life) {

    String work() {
      return life.state() instanceof Sandbox.Live live && !live.tenure().inFlight().isEmpty()
          ? "executing"
          : "idle";
    }

    /** The newest order's answer; after the end, that of the life that ended. */
    Command.Origin origin() {
      return switch (life.state()) {
        case Sandbox.Absent _ -> new Command.Origin(Commands.NODE, 1, 0);
        case Sandbox.Live _ -> life.origin();
        case Sandbox.Ended ended -> new Command.Origin(ended.node(), ended.incarnation(), 0);
      };
    }

    Command.Origin unasked() {
      return new Command.Origin(origin().node(), origin().incarnation(), 0);
    }

    Command.Origin answeringAnOlderOrder() {
      return new Command.Origin(origin().node(), origin().incarnation(), -1);
    }

    Command.Origin ofAnotherLife() {
      return new Command.Origin(
          origin().node(), origin().incarnation() + 1, origin().orderVersion());
    }

    Deadline due(Deadline.Kind kind) {
      return new Deadline(kind, life.due(kind).orElse(life.now()));
    }
  }

  /** Something that can be said, in words for a reader. */
  record Row(String words, Function<Example, Command> command) {}

  private static final String E = "ephemeral";
  private static final String P = "persistent";

  static final List<Example> EXAMPLES =
      List.of(
          new Example("Absent", "", "", new Life()),
          new Example("Starting", E, "", Life.ephemeral()),
          new Example("Starting", P, "", Life.persistent()),
          new Example("Running", E, "", Life.ephemeral().running()),
          new Example("Running", E, "", Life.ephemeral().running().executing()),
          new Example("Running", P, "", Life.persistent().running()),
          new Example("Running", P, "", Life.persistent().running().executing()),
          new Example("Suspending", P, "awake before", Life.persistent().suspending()),
          new Example(
              "Suspending",
              P,
              "awake before",
              Life.persistent().running().executing().elapse(Deadline.Kind.IDLE)),
          new Example("Suspending", P, "frozen before", Life.persistent().deepening()),
          new Example("Suspending", P, "found awake", Life.persistent().sentBackToSleep()),
          new Example("Suspended", P, "frozen", Life.persistent().frozen()),
          new Example("Suspended", P, "frozen", executingIn(Life.persistent().running())),
          new Example("Suspended", P, "stopped", Life.persistent().stopped()),
          new Example("Suspended", P, "stopped", exitedIn(Life.persistent().running().executing())),
          new Example("Resuming", P, "from frozen", Life.persistent().resuming()),
          new Example(
              "Resuming", P, "from stopped", Life.persistent().stopped().and(Commands.wake())),
          new Example("Resuming", P, "from frozen", Life.persistent().frozen().executing()),
          new Example("Stopping", E, "", Life.ephemeral().running().stopping()),
          new Example("Stopping", E, "", Life.ephemeral().running().executing().stopping()),
          new Example("Stopping", P, "", Life.persistent().running().stopping()),
          new Example("Ended", E, "", Life.ephemeral().running().ended()),
          new Example("Ended", P, "", Life.persistent().frozen().ended()));

  /** An execution whose end the node never told, asleep with its sandbox. */
  private static Life executingIn(Life running) {
    Life life = running.executing().elapse(Deadline.Kind.IDLE);
    return life.and(Commands.fellAsleep(life.origin(), Depth.FROZEN));
  }

  private static Life exitedIn(Life executing) {
    return executing.and(Commands.exited(executing.origin()));
  }

  /** The tables' rows, by the table's title. */
  static Map<String, List<Row>> tables() {
    Map<String, List<Row>> tables = new LinkedHashMap<>();
    tables.put(
        "Requests of clients",
        List.of(
            new Row("create", Cells::createAgain),
            new Row(
                "create, other body",
                _ ->
                    Commands.create(
                        Commands.spec(
                            Commands.PERSISTENT, Commands.PATIENCE, Optional.of("other")))),
            new Row(
                "create, no node has room",
                example ->
                    new Command.Create(
                        Commands.OWNER, createAgain(example).spec(), Optional.empty(), false)),
            new Row("create, container set aside", example -> claim(createAgain(example))),
            new Row("keepalive", _ -> Commands.keepAlive(Duration.ofHours(1))),
            new Row("suspend", _ -> Commands.suspend()),
            new Row("wake", _ -> Commands.wake()),
            new Row("destroy", _ -> Commands.destroy()),
            new Row("egress, as it is", _ -> Commands.changeEgress(Commands.OPEN)),
            new Row("egress, another", _ -> Commands.changeEgress(Commands.CLOSED)),
            new Row("begin execution", _ -> Commands.begin("exe_2")),
            new Row("begin execution, again", _ -> Commands.begin("exe_1")),
            new Row("begin execution, thawed", e -> Commands.begin("exe_2", version(e))),
            new Row("begin execution, thawed before", e -> Commands.begin("exe_2", version(e) - 1)),
            new Row("touch", _ -> Commands.touch()),
            new Row("touch, thawed", e -> Commands.touch(version(e))),
            new Row("touch, thawed before", e -> Commands.touch(version(e) - 1))));
    tables.put(
        "Requests that were turned down before, noted for those who audit",
        List.of(
            new Row("of a sandbox", _ -> Commands.refusal(Command.Subject.SANDBOX)),
            new Row(
                "of an organization, under its own id",
                _ -> Commands.refusal(Command.Subject.ORGANIZATION))));
    tables.put("Requests of another organization", foreign());
    tables.put(
        "The node's answers to orders",
        List.of(
            new Row("started", e -> Commands.started(e.origin())),
            new Row("start failed", e -> Commands.startFailed(e.origin())),
            new Row(
                "refused, another node has room",
                e -> Commands.refused(e.origin(), Commands.OTHER_NODE)),
            new Row("refused, no other node", e -> Commands.refused(e.origin())),
            new Row("fell asleep, frozen", e -> Commands.fellAsleep(e.origin(), Depth.FROZEN)),
            new Row("fell asleep, stopped", e -> Commands.fellAsleep(e.origin(), Depth.STOPPED)),
            new Row("suspend failed", e -> Commands.suspendFailed(e.origin())),
            new Row("resumed", e -> Commands.resumed(e.origin())),
            new Row("resume failed", e -> Commands.resumeFailed(e.origin())),
            new Row("exited", e -> Commands.exited(e.origin())),
            new Row("gone", e -> Commands.gone(e.origin()))));
    tables.put(
        "What the node says unasked",
        List.of(
            new Row("execution ended", e -> Commands.ended(e.unasked(), "exe_1")),
            new Row("exited", e -> Commands.exited(e.unasked())),
            new Row("exited, out of memory", e -> Commands.outOfMemory(e.unasked())),
            new Row("found running", e -> Commands.observed(e.unasked(), RUNNING)),
            new Row("found frozen", e -> Commands.observed(e.unasked(), FROZEN)),
            new Row("found stopped", e -> Commands.observed(e.unasked(), STOPPED)),
            new Row("memory wanted", e -> Commands.memoryWanted(e.unasked()))));
    tables.put("Answers to an order that is not the newest", late(Example::answeringAnOlderOrder));
    tables.put("Reports of another incarnation", late(Example::ofAnotherLife));
    List<Row> deadlines = new ArrayList<>();
    List<Row> stale = new ArrayList<>();
    for (Deadline.Kind kind : Deadline.Kind.values()) {
      String words = kind.name().toLowerCase(Locale.ROOT);
      deadlines.add(new Row(words, e -> new Command.Elapse(e.due(kind))));
      stale.add(
          new Row(
              words,
              e -> new Command.Elapse(new Deadline(kind, e.due(kind).due().minusMillis(1)))));
    }
    tables.put("Deadlines", deadlines);
    tables.put("Deadlines of an earlier state", stale);
    tables.put(
        "Loss of a node",
        List.of(
            new Row("its node, another has room", e -> lose(e, Commands.OTHER_NODE)),
            new Row("its node, no other", e -> lose(e)),
            new Row("another node", e -> Commands.lose("node-9", lastHeartbeat(e)))));
    return tables;
  }

  private static List<Row> foreign() {
    return List.of(
        new Row(
            "create",
            e ->
                new Command.Create(
                    Commands.STRANGER, createAgain(e).spec(), Optional.of("node-1"), false)),
        new Row("keepalive", _ -> new Command.KeepAlive(Commands.STRANGER, Optional.empty())),
        new Row("suspend", _ -> new Command.Suspend(Commands.STRANGER)),
        new Row("wake", _ -> new Command.Wake(Commands.STRANGER)),
        new Row("destroy", _ -> new Command.Destroy(Commands.STRANGER)),
        new Row("egress", _ -> new Command.ChangeEgress(Commands.STRANGER, Commands.CLOSED)),
        new Row(
            "begin execution",
            _ ->
                new Command.BeginExecution(
                    Commands.STRANGER,
                    "exe_3",
                    ExecutionKind.UPLOAD,
                    "/x",
                    Duration.ofMinutes(1),
                    Optional.empty())),
        new Row("touch", _ -> new Command.Touch(Commands.STRANGER, "files", Optional.empty())),
        new Row(
            "note a refusal", _ -> Commands.refusal(Commands.STRANGER, Command.Subject.SANDBOX)));
  }

  private static long version(Example example) {
    return example.life().state().version();
  }

  private static List<Row> late(Function<Example, Command.Origin> origin) {
    return List.of(
        new Row("started", e -> Commands.started(origin.apply(e))),
        new Row("start failed", e -> Commands.startFailed(origin.apply(e))),
        new Row(
            "refused, another node has room",
            e -> Commands.refused(origin.apply(e), Commands.OTHER_NODE)),
        new Row("fell asleep, frozen", e -> Commands.fellAsleep(origin.apply(e), Depth.FROZEN)),
        new Row("suspend failed", e -> Commands.suspendFailed(origin.apply(e))),
        new Row("resumed", e -> Commands.resumed(origin.apply(e))),
        new Row("resume failed", e -> Commands.resumeFailed(origin.apply(e))),
        new Row("gone", e -> Commands.gone(origin.apply(e))),
        new Row("execution ended", e -> Commands.ended(origin.apply(e), "exe_1")),
        new Row("exited", e -> Commands.exited(origin.apply(e))),
        new Row("found running", e -> Commands.observed(origin.apply(e), RUNNING)),
        new Row("found frozen", e -> Commands.observed(origin.apply(e), FROZEN)),
        new Row("found stopped", e -> Commands.observed(origin.apply(e), STOPPED)),
        new Row("memory wanted", e -> Commands.memoryWanted(origin.apply(e))));
  }

  private static Command.Create createAgain(Example example) {
    return Commands.create(
        Commands.spec(example.mode().equals(P) ? Commands.PERSISTENT : Commands.EPHEMERAL));
  }

  private static Command.Create claim(Command.Create create) {
    return new Command.Create(create.caller(), create.spec(), create.node(), true);
  }

  private static Command.LoseNode lose(Example example, String... next) {
    return Commands.lose(example.origin().node(), lastHeartbeat(example), next);
  }

  private static Instant lastHeartbeat(Example example) {
    return example.life().now().minusSeconds(10);
  }

  static Decision decide(Example example, Row row) {
    return Decider.decide(
        example.life().state(), row.command().apply(example), example.life().now());
  }

  /** The transitions that {@code decision} takes. */
  static Set<Transition> transitions(Sandbox before, Decision decision) {
    Set<Transition> taken = new LinkedHashSet<>();
    if (decision instanceof Decision.Accepted(List<Event> events)) {
      Sandbox state = before;
      for (Event event : events) {
        Sandbox next = Evolution.evolve(state, event);
        taken.add(Transition.of(state, event, next));
        state = next;
      }
    }
    return taken;
  }

  private Cells() {}
}
