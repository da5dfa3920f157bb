package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Decides what a client's request changes: only its own organization's sandbox, ever. */
final class Requests {
  private Requests() {}

  static Decision decide(Sandbox state, Command.Request request, Instant now) {
    Optional<String> org = request.caller().org();
    return switch (state) {
      case Sandbox.Absent absent ->
          switch (request) {
            case Command.Create _ when org.isEmpty() -> foreign();
            case Command.Create create when absent.version() == 0 ->
                create(create, now, new Scribe(absent, create, org.get(), now));
            case Command.NoteRefusal note
                when note.subject() == Command.Subject.ORGANIZATION && org.isPresent() ->
                note(note, new Scribe(absent, note, org.get(), now));
            case Command.Create _,
                Command.NoteRefusal _,
                Command.KeepAlive _,
                Command.Suspend _,
                Command.Wake _,
                Command.Destroy _,
                Command.ChangeEgress _,
                Command.BeginExecution _,
                Command.Touch _ ->
                new Decision.Rejected(
                    Rejection.SANDBOX_NOT_FOUND,
                    "Expected a sandbox, but there never was one of this id");
          };
      case Sandbox.Live live ->
          org.filter(live.tenure().org()::equals).isPresent()
              ? ofLive(live, request, now, new Scribe(live, request, live.tenure().org(), now))
              : foreign();
      case Sandbox.Ended ended ->
          org.filter(ended.org()::equals).isPresent()
              ? ofEnded(ended, request, new Scribe(ended, request, ended.org(), now))
              : foreign();
    };
  }

  private static Decision create(Command.Create create, Instant now, Scribe scribe) {
    if (create.node().isEmpty()) {
      return new Decision.Rejected(
          Rejection.NO_CAPACITY,
          "Expected a node with room for size %s and image %s, but there is none"
              .formatted(create.spec().size().name(), create.spec().template().image()));
    }
    Optional<Instant> expiresAt =
        switch (create.spec().mode()) {
          case Mode.Ephemeral(Duration timeout) ->
              Optional.of(expiry(now, timeout, create.spec().patience()));
          case Mode.Persistent _ -> Optional.empty();
        };
    Fact requested = new Fact.SandboxRequested(create.spec(), create.node().get(), expiresAt);
    return create.claimed()
        ? scribe.write(requested, new Fact.SandboxStarted(true))
        : scribe.write(requested);
  }

  /**
   * Creating what is there already: the same request is answered again, another one is a conflict.
   */
  private static Decision again(Command.Create create, Optional<String> fingerprint) {
    return fingerprint.isPresent() && fingerprint.equals(create.spec().fingerprint())
        ? new Decision.Accepted(List.of())
        : new Decision.Rejected(
            Rejection.IDEMPOTENCY_CONFLICT,
            "Expected the request that this sandbox was created with, but got another one");
  }

  private static Decision note(Command.NoteRefusal note, Scribe scribe) {
    return scribe.write(new Fact.RequestRefused(note.refusal()));
  }

  private static Decision ofEnded(Sandbox.Ended ended, Command.Request request, Scribe scribe) {
    return switch (request) {
      case Command.NoteRefusal note -> note(note, scribe);
      case Command.Create create -> again(create, ended.fingerprint());
      case Command.Destroy _ -> new Decision.Accepted(List.of());
      case Command.Wake _ ->
          new Decision.Rejected(
              Rejection.CANNOT_WAKE, "Expected a suspended sandbox, but it is destroyed");
      case Command.KeepAlive _,
          Command.Suspend _,
          Command.ChangeEgress _,
          Command.BeginExecution _,
          Command.Touch _ ->
          notRunning("destroyed");
    };
  }

  private static Decision ofLive(
      Sandbox.Live live, Command.Request request, Instant now, Scribe scribe) {
    Tenure tenure = live.tenure();
    Stage stage = live.stage();
    return switch (request) {
      case Command.Create create -> again(create, tenure.spec().fingerprint());
      case Command.KeepAlive keepAlive -> keepAlive(tenure, stage, keepAlive, now, scribe);
      case Command.Suspend _ -> suspend(tenure, stage, now, scribe);
      case Command.Wake _ -> wake(tenure, stage, scribe);
      case Command.Destroy _ ->
          stage instanceof Stage.Stopping
              ? scribe.nothing()
              : scribe.write(
                  new Fact.StopRequested(EndReason.REQUESTED, "destroyed on request", 1));
      case Command.ChangeEgress(Command.Caller _, Egress egress) ->
          stage instanceof Stage.Stopping
              ? notRunning(stage)
              : tenure.egress().equals(egress)
                  ? scribe.nothing()
                  : scribe.write(new Fact.EgressChanged(egress));
      case Command.BeginExecution begin -> begin(live, begin, scribe);
      case Command.Touch touch -> touch(live, touch, scribe);
      case Command.NoteRefusal note -> note(note, scribe);
    };
  }

  private static Decision keepAlive(
      Tenure tenure, Stage stage, Command.KeepAlive request, Instant now, Scribe scribe) {
    return switch (tenure.spec().mode()) {
      case Mode.Persistent _ ->
          new Decision.Rejected(
              Rejection.NOT_EPHEMERAL,
              "Expected an ephemeral sandbox, but it is persistent and never expires");
      case Mode.Ephemeral(Duration own) ->
          stage instanceof Stage.Running
              ? scribe.write(
                  new Fact.TimeoutExtended(
                      expiry(now, request.timeout().orElse(own), tenure.spec().patience())))
              : notRunning(stage);
    };
  }

  private static Decision suspend(Tenure tenure, Stage stage, Instant now, Scribe scribe) {
    if (tenure.spec().mode() instanceof Mode.Ephemeral) {
      return ephemeral(Rejection.NOT_PERSISTENT);
    }
    return switch (stage) {
      case Stage.Running _
          when tenure.inFlight().values().stream().anyMatch(e -> e.until().isAfter(now)) ->
          new Decision.Rejected(
              Rejection.EXECUTION_IN_FLIGHT,
              "Expected an idle sandbox, but an execution is in flight");
      case Stage.Running _ ->
          scribe.write(new Fact.SuspendRequested(Depth.FROZEN, SuspendReason.REQUESTED, 1));
      case Stage.Suspending _, Stage.Suspended _ -> scribe.nothing();
      case Stage.Starting _, Stage.Resuming _, Stage.Stopping _ -> notRunning(stage);
    };
  }

  private static Decision wake(Tenure tenure, Stage stage, Scribe scribe) {
    if (tenure.spec().mode() instanceof Mode.Ephemeral) {
      return ephemeral(Rejection.CANNOT_WAKE);
    }
    return switch (stage) {
      case Stage.Running _ -> scribe.write(new Fact.ActivityRecorded("wake"));
      case Stage.Suspended(Depth depth, Instant _) ->
          scribe.write(new Fact.ResumeRequested(depth, 1));
      // The node gets the resume after the suspend, so this is the depth it will have reached.
      case Stage.Suspending suspending ->
          scribe.write(new Fact.ResumeRequested(suspending.depth(), 1));
      case Stage.Resuming _ -> scribe.nothing();
      case Stage.Starting _, Stage.Stopping _ ->
          new Decision.Rejected(
              Rejection.CANNOT_WAKE, "Expected a suspended sandbox, but it is " + describe(stage));
    };
  }

  /**
   * The request is durable, and the node may already be at work on it, before it is decided here.
   * So wherever the container may still be awake it goes into the history, also when a suspend or a
   * stop was decided first; and whoever uses a sandbox that falls asleep wants it awake.
   */
  private static Decision begin(Sandbox.Live live, Command.BeginExecution begin, Scribe scribe) {
    Fact.ExecutionStarted started =
        new Fact.ExecutionStarted(
            begin.executionId(), begin.kind(), begin.subject(), begin.timeout());
    Stage stage = live.stage();
    return switch (stage) {
      case Stage.Starting _ -> notRunning(stage);
      case Stage _ when live.tenure().inFlight().containsKey(begin.executionId()) ->
          scribe.nothing();
      case Stage.Running _, Stage.Resuming _, Stage.Stopping _ -> scribe.write(started);
      case Stage.Suspending suspending ->
          scribe.write(started, new Fact.ResumeRequested(suspending.depth(), 1));
      case Stage.Suspended(Depth depth, Instant _) when isThawed(live, depth, begin.thawed()) ->
          scribe.write(new Fact.SandboxResumed(), started);
      case Stage.Suspended(Depth depth, Instant _) ->
          scribe.write(started, new Fact.ResumeRequested(depth, 1));
    };
  }

  private static Decision touch(Sandbox.Live live, Command.Touch touch, Scribe scribe) {
    Fact.ActivityRecorded activity = new Fact.ActivityRecorded(touch.what());
    return switch (live.stage()) {
      case Stage.Running _ -> scribe.write(activity);
      case Stage.Suspended(Depth depth, Instant _) when isThawed(live, depth, touch.thawed()) ->
          scribe.write(new Fact.SandboxResumed(), activity);
      case Stage stage -> notRunning(stage);
    };
  }

  /** Its node freezes it again for an event alone, and with that it is at another version. */
  private static boolean isThawed(Sandbox.Live live, Depth depth, Optional<Long> thawed) {
    return depth == Depth.FROZEN && thawed.filter(version -> version == live.version()).isPresent();
  }

  private static Instant expiry(Instant now, Duration timeout, Patience patience) {
    return Deadline.after(
        now, timeout.compareTo(patience.maxTimeout()) > 0 ? patience.maxTimeout() : timeout);
  }

  private static Decision foreign() {
    return new Decision.Rejected(
        Rejection.FOREIGN_ORGANIZATION,
        "Expected the sandbox's own organization, but another one asked");
  }

  private static Decision ephemeral(Rejection code) {
    return new Decision.Rejected(code, "Expected a persistent sandbox, but it is ephemeral");
  }

  private static Decision notRunning(Stage stage) {
    return notRunning(describe(stage));
  }

  private static Decision notRunning(String what) {
    return new Decision.Rejected(
        Rejection.NOT_RUNNING, "Expected a running sandbox, but it is " + what);
  }

  private static String describe(Stage stage) {
    return switch (stage) {
      case Stage.Starting _ -> "creating";
      case Stage.Running _ -> "running";
      case Stage.Suspending _, Stage.Suspended _ -> "suspended";
      case Stage.Resuming _ -> "still waking";
      case Stage.Stopping _ -> "destroyed";
    };
  }
}
