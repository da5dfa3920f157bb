package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What can be said to a sandbox, in few words. */
final class Commands {
  static final String ORG = "org_glass";
  static final String NODE = "node-1";
  static final String OTHER_NODE = "node-2";
  static final Command.Caller OWNER = client(ORG);
  static final Command.Caller STRANGER = client("org_other");
  static final Command.Caller EXECUTOR =
      new Command.Caller(
          Optional.empty(), "node:" + NODE, Optional.empty(), Optional.of("cmd_report"));

  static final Patience PATIENCE =
      new Patience(
          Duration.ofSeconds(60),
          Duration.ofSeconds(10),
          Duration.ofSeconds(15),
          Duration.ofSeconds(20),
          Duration.ofMinutes(30),
          Duration.ofHours(24),
          3);

  static final Mode EPHEMERAL = new Mode.Ephemeral(Duration.ofMinutes(5));
  static final Mode PERSISTENT = new Mode.Persistent(Duration.ofMinutes(10));
  static final Egress OPEN = new Egress("allow_all", List.of(), List.of(), List.of());
  static final Egress CLOSED = new Egress("deny_all", List.of(), List.of(), List.of());

  static final ExecutionResult SUCCESS =
      new ExecutionResult(
          Optional.of(0), false, false, 3, 0, 0, Duration.ofMillis(40), Optional.empty());

  private Commands() {}

  static Command.Caller client(String org) {
    return new Command.Caller(
        Optional.of(org), "key:key_1", Optional.of("req_1"), Optional.of("cmd_1"));
  }

  static Spec spec(Mode mode) {
    return spec(mode, PATIENCE, Optional.of("same"));
  }

  static Spec spec(Mode mode, Patience patience, Optional<String> fingerprint) {
    return new Spec(
        new Template("tpl_python", "python", "sandglass/python:0.1.0"),
        mode,
        new Size("shared-cpu-1x", 1000, 256L << 20),
        OPEN,
        List.of("TOKEN"),
        Optional.of("c2VhbGVk"),
        Map.of("team", "blue"),
        patience,
        fingerprint);
  }

  static Command.Create create(Spec spec) {
    return new Command.Create(OWNER, spec, Optional.of(NODE), false);
  }

  static Command.KeepAlive keepAlive(Duration timeout) {
    return new Command.KeepAlive(OWNER, Optional.of(timeout));
  }

  static Command.Suspend suspend() {
    return new Command.Suspend(OWNER);
  }

  static Command.Wake wake() {
    return new Command.Wake(OWNER);
  }

  static Command.Destroy destroy() {
    return new Command.Destroy(OWNER);
  }

  static Command.ChangeEgress changeEgress(Egress egress) {
    return new Command.ChangeEgress(OWNER, egress);
  }

  static Command.BeginExecution begin(String executionId) {
    return begin(executionId, Duration.ofSeconds(30));
  }

  static Command.BeginExecution begin(String executionId, Duration timeout) {
    return new Command.BeginExecution(
        OWNER,
        executionId,
        ExecutionKind.COMMAND,
        "python3 -c 'print(6*7)'",
        timeout,
        Optional.empty());
  }

  static Command.BeginExecution begin(String executionId, long thawed) {
    Command.BeginExecution begin = begin(executionId);
    return new Command.BeginExecution(
        OWNER, executionId, begin.kind(), begin.subject(), begin.timeout(), Optional.of(thawed));
  }

  static Command.Touch touch() {
    return new Command.Touch(OWNER, "files", Optional.empty());
  }

  static Command.Touch touch(long thawed) {
    return new Command.Touch(OWNER, "files", Optional.of(thawed));
  }

  /** Somebody of another organization was turned down. */
  static Command.NoteRefusal refusal(Command.Subject subject) {
    return refusal(OWNER, subject);
  }

  static Command.NoteRefusal refusal(Command.Caller caller, Command.Subject subject) {
    return new Command.NoteRefusal(
        caller,
        subject,
        new Refusal(Refusal.Code.FOREIGN_ORGANIZATION, "getSandbox", "It is another's.", 3));
  }

  static Command.Started started(Command.Origin origin) {
    return new Command.Started(EXECUTOR, origin, false);
  }

  static Command.StartFailed startFailed(Command.Origin origin) {
    return new Command.StartFailed(EXECUTOR, origin, "the image has no /bin/sh");
  }

  static Command.Refused refused(Command.Origin origin, String... next) {
    return new Command.Refused(EXECUTOR, origin, "no room left", List.of(next).stream().findAny());
  }

  static Command.FellAsleep fellAsleep(Command.Origin origin, Depth depth) {
    return new Command.FellAsleep(EXECUTOR, origin, depth);
  }

  static Command.SuspendFailed suspendFailed(Command.Origin origin) {
    return new Command.SuspendFailed(EXECUTOR, origin, "the freezer is stuck");
  }

  static Command.Resumed resumed(Command.Origin origin) {
    return new Command.Resumed(EXECUTOR, origin);
  }

  static Command.ResumeFailed resumeFailed(Command.Origin origin) {
    return new Command.ResumeFailed(EXECUTOR, origin, "no memory left");
  }

  static Command.Exited exited(Command.Origin origin) {
    return new Command.Exited(EXECUTOR, origin, 0, false, "its first process ended with 0");
  }

  static Command.Exited outOfMemory(Command.Origin origin) {
    return new Command.Exited(EXECUTOR, origin, 137, true, "out of memory");
  }

  static Command.Gone gone(Command.Origin origin) {
    return new Command.Gone(EXECUTOR, origin, "no such container");
  }

  static Command.Observed observed(Command.Origin origin, Command.Phase phase) {
    return new Command.Observed(EXECUTOR, origin, phase);
  }

  static Command.MemoryWanted memoryWanted(Command.Origin origin) {
    return new Command.MemoryWanted(EXECUTOR, origin);
  }

  static Command.ExecutionEnded ended(Command.Origin origin, String executionId) {
    return new Command.ExecutionEnded(EXECUTOR, origin, executionId, SUCCESS);
  }

  static Command.LoseNode lose(String node, Instant aliveUntil, String... next) {
    return new Command.LoseNode(node, aliveUntil, List.of(next).stream().findAny());
  }
}
