package io.sandglass.api;

import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.EventHeader;
import io.sandglass.api.domain.Fact;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.api.domain.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** As much of the engine's manners as the API's tests need. Not thread-safe by itself. */
final class EngineStandIn {
  static final String NODE = "node-1";

  /** What a command led to. */
  record Result(Decision decision, List<SandboxEvent> events) {}

  private static final class Known {
    private String org;
    private SandboxSpec spec;
    private Status status;
    private long version;
    private String fingerprint;
  }

  private final Map<String, Known> sandboxes = new HashMap<>();
  private final Map<String, Decision> receipts = new HashMap<>();

  /** Whether sandboxes run as soon as they are asked for. */
  private boolean starting = true;

  synchronized void startSandboxes(boolean start) {
    starting = start;
  }

  /** Whether suspended ones wake as soon as they are asked to. */
  private boolean waking = true;

  synchronized void wakeSandboxes(boolean wake) {
    waking = wake;
  }

  synchronized Result handle(Command command) {
    Command.Header header = command.header();
    Decision before = receipts.get(header.commandId());
    if (before != null) {
      return new Result(before, List.of());
    }
    Result result = decide(command, sandboxes.get(header.sandboxId()));
    receipts.put(header.commandId(), result.decision());
    return result;
  }

  /** What the node would report of a created sandbox. */
  synchronized List<SandboxEvent> started(String id) {
    Known known = sandboxes.get(id);
    known.status = Status.RUNNING;
    return List.of(event(known, header(id), new Fact.SandboxStarted(false), "report"));
  }

  /** What its node would report of a sandbox that was asked to wake. */
  synchronized List<SandboxEvent> told(String id, Status status, Fact fact) {
    Known known = sandboxes.get(id);
    known.status = status;
    return List.of(event(known, header(id), fact, "report"));
  }

  private static Command.Header header(String id) {
    return new Command.Header(null, id, null, "node:" + NODE, null, null);
  }

  private Result decide(Command command, Known known) {
    Command.Header header = command.header();
    if (known == null) {
      return switch (command) {
        case Command.Create create -> create(create);
        case Command.NoteRefusal note when header.sandboxId().equals(header.orgId()) -> {
          Known organization = new Known();
          organization.org = header.orgId();
          organization.status = Status.ABSENT;
          sandboxes.put(header.sandboxId(), organization);
          yield note(note, organization);
        }
        default -> rejected("sandbox_not_found", 0);
      };
    }
    if (!known.org.equals(header.orgId())) {
      return rejected("foreign_organization", known.version);
    }
    return switch (command) {
      case Command.Create _ ->
          header.fingerprint() != null && header.fingerprint().equals(known.fingerprint)
              ? new Result(new Decision.Accepted(known.version), List.of())
              : rejected("idempotency_conflict", known.version);
      case Command.KeepAlive keepAlive -> keepAlive(keepAlive, known);
      case Command.ChangeEgress change ->
          known.status == Status.DESTROYED
              ? rejected("not_running", known.version)
              : accepted(
                  known, event(known, header, new Fact.EgressChanged(change.egress()), "command"));
      case Command.Destroy _ -> destroy(header, known);
      case Command.Suspend _ -> suspend(header, known);
      case Command.Wake _ ->
          known.spec.mode() == Mode.PERSISTENT
              ? use(header, known, new Fact.ActivityRecorded("wake"), "cannot_wake")
              : rejected("cannot_wake", known.version);
      case Command.BeginExecution begin -> {
        Fact started =
            new Fact.ExecutionStarted(
                begin.executionId(),
                begin.kind().name().toLowerCase(Locale.ROOT),
                begin.subject(),
                begin.timeout());
        if (isThawed(known, begin.thawed())) {
          yield thawed(header, known, started);
        }
        if (known.status != Status.SUSPENDED) {
          yield use(header, known, started, "not_running");
        }
        List<SandboxEvent> events =
            new ArrayList<>(List.of(event(known, header, started, "command")));
        Result woken = use(header, known, started, "not_running");
        events.addAll(woken.events());
        yield new Result(woken.decision(), events);
      }
      case Command.NeverBegan never ->
          accepted(
              known,
              event(
                  known,
                  header,
                  new Fact.ExecutionFinished(
                      never.executionId(),
                      "command",
                      null,
                      false,
                      false,
                      0,
                      0,
                      0,
                      0,
                      never.failure()),
                  "report"));
      case Command.NoteRefusal note -> note(note, known);
      case Command.Touch touch -> {
        Fact activity = new Fact.ActivityRecorded(touch.what());
        yield isThawed(known, touch.thawed())
            ? thawed(header, known, activity)
            : use(header, known, activity, "not_running");
      }
    };
  }

  private static boolean isThawed(Known known, Optional<Long> thawed) {
    return known.status == Status.SUSPENDED && thawed.equals(Optional.of(known.version));
  }

  private static Result thawed(Command.Header header, Known known, Fact used) {
    known.status = Status.RUNNING;
    SandboxEvent resumed = event(known, header, new Fact.SandboxResumed(), "command");
    SandboxEvent use = event(known, header, used, "command");
    return new Result(new Decision.Accepted(known.version), List.of(resumed, use));
  }

  private static Result note(Command.NoteRefusal note, Known known) {
    Fact refused =
        new Fact.RequestRefused(note.code(), note.operation(), note.detail(), note.suppressed());
    return accepted(known, event(known, note.header(), refused, "command"));
  }

  private static Result suspend(Command.Header header, Known known) {
    if (known.spec.mode() != Mode.PERSISTENT) {
      return rejected("not_persistent", known.version);
    }
    if (known.status != Status.RUNNING) {
      return rejected("not_running", known.version);
    }
    known.status = Status.SUSPENDED;
    SandboxEvent asked =
        event(known, header, new Fact.SuspendRequested("frozen", "requested"), "command");
    long version = known.version;
    SandboxEvent asleep =
        event(
            known,
            header(header.sandboxId()),
            new Fact.SandboxSuspended("frozen", "requested", null),
            "report");
    return new Result(new Decision.Accepted(version), List.of(asked, asleep));
  }

  private Result use(Command.Header header, Known known, Fact ifRunning, String otherwise) {
    return switch (known.status) {
      case ABSENT, CREATING, DESTROYED -> rejected(otherwise, known.version);
      case RUNNING -> accepted(known, event(known, header, ifRunning, "command"));
      case SUSPENDED -> {
        SandboxEvent asked = event(known, header, new Fact.ResumeRequested("frozen"), "command");
        long version = known.version;
        List<SandboxEvent> events = new ArrayList<>(List.of(asked));
        if (waking) {
          events.addAll(told(header.sandboxId(), Status.RUNNING, new Fact.SandboxResumed()));
        }
        yield new Result(new Decision.Accepted(version), events);
      }
    };
  }

  private Result create(Command.Create create) {
    Known fresh = new Known();
    fresh.org = create.header().orgId();
    fresh.spec = create.spec();
    fresh.fingerprint = create.header().fingerprint();
    fresh.status = Status.CREATING;
    sandboxes.put(create.header().sandboxId(), fresh);
    Duration timeout = create.spec().timeout();
    List<SandboxEvent> events = new ArrayList<>();
    events.add(
        event(
            fresh,
            create.header(),
            new Fact.SandboxRequested(create.spec(), timeout == null ? null : now().plus(timeout)),
            "command"));
    if (create.claimedOn().isPresent()) {
      fresh.status = Status.RUNNING;
      events.add(event(fresh, create.header(), new Fact.SandboxStarted(true), "command"));
      return new Result(new Decision.Accepted(2), events);
    }
    if (starting) {
      events.addAll(started(create.header().sandboxId()));
    }
    return new Result(new Decision.Accepted(1), events);
  }

  private Result keepAlive(Command.KeepAlive keepAlive, Known known) {
    if (known.spec.mode() == Mode.PERSISTENT) {
      return rejected("not_ephemeral", known.version);
    }
    if (known.status != Status.RUNNING) {
      return rejected("not_running", known.version);
    }
    Duration timeout = keepAlive.timeout() == null ? known.spec.timeout() : keepAlive.timeout();
    return accepted(
        known,
        event(known, keepAlive.header(), new Fact.TimeoutExtended(now().plus(timeout)), "command"));
  }

  private Result destroy(Command.Header header, Known known) {
    if (known.status == Status.DESTROYED) {
      return new Result(new Decision.Accepted(known.version), List.of());
    }
    known.status = Status.DESTROYED;
    SandboxEvent stop =
        event(
            known,
            header,
            new Fact.StopRequested("requested", "destroyed on request", 1),
            "command");
    long version = known.version;
    SandboxEvent ended =
        event(
            known,
            header,
            new Fact.SandboxEnded("requested", "destroyed on request", null),
            "report");
    return new Result(new Decision.Accepted(version), List.of(stop, ended));
  }

  private static Result accepted(Known known, SandboxEvent event) {
    return new Result(new Decision.Accepted(known.version), List.of(event));
  }

  private static Result rejected(String code, long version) {
    return new Result(new Decision.Rejected(code, "Expected otherwise", version), List.of());
  }

  private static SandboxEvent event(Known known, Command.Header header, Fact fact, String cause) {
    known.version++;
    return new SandboxEvent(
        new EventHeader(
            header.sandboxId() + "-" + known.version,
            header.sandboxId(),
            known.org,
            known.version,
            now(),
            null,
            cause,
            header.actor(),
            header.requestId(),
            header.commandId(),
            known.status,
            1,
            NODE),
        fact);
  }

  private static Instant now() {
    return Instant.ofEpochMilli(System.currentTimeMillis());
  }
}
