package io.sandglass.api.control;

import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.api.domain.Status;
import io.sandglass.api.secrets.EnvSealer;
import io.sandglass.api.store.CommandStore;
import io.sandglass.api.store.EventStore;
import io.sandglass.api.store.SandboxStore;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Creating, reading, changing and destroying. */
public final class Sandboxes {
  static final String NOT_FOUND = "sandbox_not_found";
  static final String FOREIGN = "foreign_organization";
  private static final Pattern ID = Pattern.compile("sbx_[0-9a-z]{16,40}");

  private final CommandLog log;
  private final SandboxStore sandboxes;
  private final EventStore events;
  private final CommandStore commands;
  private final Progress progress;
  private final EnvSealer sealer;
  private final Quotas quotas;
  private final Claims claims;
  private final Ids ids;
  private final InstantSource clock;
  private final Duration patience;

  /**
   * @param patience how long the projection may take to show what was decided
   */
  public Sandboxes(
      CommandLog log,
      SandboxStore sandboxes,
      EventStore events,
      CommandStore commands,
      Progress progress,
      EnvSealer sealer,
      Quotas quotas,
      Claims claims,
      Ids ids,
      InstantSource clock,
      Duration patience) {
    this.log = log;
    this.sandboxes = sandboxes;
    this.events = events;
    this.commands = commands;
    this.progress = progress;
    this.sealer = sealer;
    this.quotas = quotas;
    this.claims = claims;
    this.ids = ids;
    this.clock = clock;
    this.patience = patience;
  }

  /**
   * Creates a sandbox.
   *
   * @param spec without its environment
   * @param env in plain; leaves this method sealed only
   * @param wait how long it may take to run before the answer; zero for not waiting
   */
  public Answer<Sandbox> create(
      Origin origin, SandboxSpec spec, Map<String, String> env, Duration wait) {
    String id = origin.id("sbx_", ids);
    // A repetition finds the sandbox there: its key may be gone already and must not come back.
    boolean repeated = origin.idempotencyKey() != null && sandboxes.find(id).isPresent();
    if (!repeated) {
      Optional<String> excess = quotas.reserve(origin.orgId(), id, spec.size());
      if (excess.isPresent()) {
        return new Answer.Refused<>(Quotas.EXCEEDED, excess.get(), Aftermath.NOTHING);
      }
    }
    Answer<Sandbox> answer;
    try {
      answer = settle(create(origin, id, spec, env, repeated));
    } catch (LogUnavailableException e) {
      if (!repeated && !e.perhapsAppended()) {
        quotas.release(id);
      }
      throw e;
    }
    return switch (answer) {
      case Answer.Done<Sandbox>(Sandbox sandbox)
          when sandbox.status() == Status.CREATING && wait.isPositive() ->
          new Answer.Done<>(
              progress
                  .await(id, current -> current.status() != Status.CREATING, wait)
                  .orElse(sandbox));
      case Answer.Refused<Sandbox> refused -> {
        if (!repeated && refused.aftermath() != Aftermath.DOUBT && sandboxes.find(id).isEmpty()) {
          sealer.forget(id);
          quotas.release(id);
        }
        yield refused;
      }
      case Answer.Done<Sandbox> done -> done;
      case Answer.Pending<Sandbox> pending -> pending;
    };
  }

  private Command.Create create(
      Origin origin, String id, SandboxSpec spec, Map<String, String> env, boolean repeated) {
    Command.Header header = origin.header(id, ids);
    if (repeated) {
      return new Command.Create(header, spec, Optional.empty());
    }
    SandboxSpec sealed = spec.withEnv(sealer.seal(id, env));
    return new Command.Create(
        header, sealed, claims.claim(origin.orgId(), id, spec, origin.requestId()));
  }

  public Answer<Sandbox> get(String orgId, String id) {
    return read(orgId, id, sandboxes.find(id));
  }

  /** The sandbox as it was at a time that is over. */
  public Answer<Sandbox> get(String orgId, String id, Instant at) {
    if (at.isAfter(clock.instant())) {
      return new Answer.Refused<>(
          "invalid_request", "Expected a time at that is over.", Aftermath.NOTHING);
    }
    return switch (get(orgId, id)) {
      case Answer.Done<Sandbox>(Sandbox now) ->
          events
              .asOf(now, at)
              .<Answer<Sandbox>>map(Answer.Done::new)
              .orElseGet(
                  () ->
                      new Answer.Refused<>(
                          NOT_FOUND,
                          "The sandbox " + id + " was not there yet.",
                          Aftermath.NOTHING));
      case Answer.Pending<Sandbox> pending -> pending;
      case Answer.Refused<Sandbox> refused -> refused;
    };
  }

  public List<Sandbox> list(SandboxStore.Listing listing) {
    return sandboxes.list(listing);
  }

  public Answer<List<EventStore.Stored>> history(String orgId, String id, long after, int limit) {
    return Answer.carry(get(orgId, id), sandbox -> events.history(id, after, limit));
  }

  /** Puts the end off. */
  public Answer<Sandbox> keepAlive(Origin origin, String id, Duration timeout) {
    Optional<Answer.Refused<Sandbox>> refusal = refusal(origin.orgId(), id);
    return refusal.isPresent()
        ? refusal.get()
        : settle(new Command.KeepAlive(origin.header(id, ids), timeout));
  }

  /** Puts a persistent one to sleep, unless something runs in it. */
  public Answer<Sandbox> suspend(Origin origin, String id) {
    Optional<Answer.Refused<Sandbox>> refusal = refusal(origin.orgId(), id);
    return refusal.isPresent()
        ? refusal.get()
        : settle(new Command.Suspend(origin.header(id, ids)));
  }

  /**
   * Wakes a persistent one; if it is awake, it counts as used.
   *
   * @param wait how long it may take to run before the answer; zero for not waiting
   */
  public Answer<Sandbox> wake(Origin origin, String id, Duration wait) {
    Optional<Answer.Refused<Sandbox>> refusal = refusal(origin.orgId(), id);
    if (refusal.isPresent()) {
      return refusal.get();
    }
    Answer<Sandbox> answer = settle(new Command.Wake(origin.header(id, ids)));
    return answer instanceof Answer.Done<Sandbox>(Sandbox sandbox)
            && sandbox.isWaking()
            && wait.isPositive()
        ? new Answer.Done<>(
            progress
                .await(id, now -> now.version() >= sandbox.version() && !now.isWaking(), wait)
                .orElse(sandbox))
        : answer;
  }

  /** Replaces the network policy; the sandbox's node has it in force soon after. */
  public Answer<Sandbox> changeEgress(Origin origin, String id, EgressPolicy egress) {
    Optional<Answer.Refused<Sandbox>> refusal = refusal(origin.orgId(), id);
    return refusal.isPresent()
        ? refusal.get()
        : settle(new Command.ChangeEgress(origin.header(id, ids), egress));
  }

  /** Done also for a sandbox that has ended before. */
  public Answer<Sandbox> destroy(Origin origin, String id) {
    Optional<Answer.Refused<Sandbox>> refusal = refusal(origin.orgId(), id);
    if (refusal.isPresent()) {
      return refusal.get();
    }
    Optional<Sandbox> ended =
        sandboxes.find(id).filter(sandbox -> sandbox.status() == Status.DESTROYED);
    if (ended.isPresent()) {
      return new Answer.Done<>(ended.get());
    }
    return settle(new Command.Destroy(origin.header(id, ids)));
  }

  /**
   * What the projection can tell without the engine. That it does not know a sandbox tells nothing:
   * it may just have been created.
   */
  private Optional<Answer.Refused<Sandbox>> refusal(String orgId, String id) {
    if (!ID.matcher(id).matches()) {
      return Optional.of(notFound(id));
    }
    return sandboxes
        .find(id)
        .filter(sandbox -> !sandbox.orgId().equals(orgId))
        .map(sandbox -> foreign(id));
  }

  static Answer<Sandbox> read(String orgId, String id, Optional<Sandbox> found) {
    if (found.isEmpty()) {
      return notFound(id);
    }
    return found.get().orgId().equals(orgId) ? new Answer.Done<>(found.get()) : foreign(id);
  }

  private static Answer.Refused<Sandbox> notFound(String id) {
    return new Answer.Refused<>(NOT_FOUND, "There is no sandbox " + id + ".", Aftermath.NOTHING);
  }

  private static Answer.Refused<Sandbox> foreign(String id) {
    return new Answer.Refused<>(
        FOREIGN, "The sandbox " + id + " belongs to another organization.", Aftermath.NOTHING);
  }

  /** Has the command decided and waits until everyone can see the decision. */
  private Answer<Sandbox> settle(Command command) {
    String id = command.header().sandboxId();
    Answer.Pending<Sandbox> pending = new Answer.Pending<>(command.header().commandId(), id);
    return switch (log.decide(command)) {
      case Decision.Accepted(long version) -> {
        Optional<Sandbox> seen = seen(id, current -> current.version() >= version);
        if (seen.isEmpty()) {
          note(command);
          yield pending;
        }
        yield new Answer.Done<>(seen.get());
      }
      case Decision.Rejected(String code, String detail, long version) -> {
        // What it was rejected for must be there to be seen: "not running", and a GET that agrees.
        if (version > 0) {
          var _ = seen(id, current -> current.version() >= version);
        }
        yield new Answer.Refused<>(code, detail, Aftermath.DECISION);
      }
      case Decision.Undecided() -> {
        note(command);
        yield pending;
      }
    };
  }

  private Optional<Sandbox> seen(String id, Predicate<Sandbox> so) {
    return progress.await(id, so, patience).filter(so);
  }

  private void note(Command command) {
    Command.Header header = command.header();
    commands.pending(header.commandId(), header.sandboxId(), header.orgId(), clock.instant());
  }
}
