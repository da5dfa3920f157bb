package io.sandglass.api.control;

import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.dataplane.AheadPlane;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Status;
import java.time.Duration;
import java.util.Optional;

/**
 * Sees calls through that need a sandbox awake. A frozen one is thawed by its node before anybody
 * decides, and the call made beside the decision; from a deeper sleep the call is made as soon as
 * the wake is decided, and waits at the node. In a race with a suspend the node has the last word:
 * while the sandbox is not awake it turns a call down without having begun anything, and the same
 * call comes again after a wake.
 */
public final class Waking {
  static final String NOT_RUNNING = "not_running";
  private static final String FAILED = "wake_failed";
  private static final String NODE_UNAVAILABLE = "node_unavailable";

  /** As of {@link io.sandglass.api.dataplane.Life}. */
  private static final long AWAKE = 0;

  private static final CommandLog.Sent DURABLE = () -> {};

  /** Within the grace that the engine gives an execution: its end must not come too late. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** From a sandbox's end until the projection shows it. */
  private static final Duration ENDING = Duration.ofSeconds(1);

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  /** What a node says to a call. */
  sealed interface Reply<T> {
    record Answered<T>(Answer<T> answer) implements Reply<T> {}

    /** Nothing has begun. */
    record NotAwake<T>(String detail) implements Reply<T> {}

    /** It can't be asked, or not yet: nothing has begun. */
    record Away<T>(String detail) implements Reply<T> {}
  }

  /** Asks the sandbox's node; may be made again where nothing has begun. */
  @FunctionalInterface
  interface Call<T> {

    /**
     * @param wake as of {@link io.sandglass.api.dataplane.Life}
     * @param announced what has to be durable before anything begins
     */
    Reply<T> make(Sandbox now, long wake, CommandLog.Sent announced);
  }

  private final CommandLog log;
  private final Progress progress;
  private final Nodes nodes;
  private final AheadPlane ahead;
  private final Ids ids;

  public Waking(CommandLog log, Progress progress, Nodes nodes, AheadPlane ahead, Ids ids) {
    this.log = log;
    this.progress = progress;
    this.nodes = nodes;
    this.ahead = ahead;
    this.ids = ids;
  }

  /**
   * Has a call announced and made, after a wake if need be, which is asked for in one go with it.
   *
   * @param announcement appended once, durable before anything begins
   */
  <T> Answer<T> call(Origin origin, Sandbox sandbox, Command.Use announcement, Call<T> call) {
    if (sandbox.status() == Status.RUNNING) {
      CommandLog.Sent announced = log.send(announcement);
      return made(origin, new Answer.Done<>(sandbox), announced, deadline(), call);
    }
    long deadline = deadline();
    if (isAtRest(sandbox) && thaw(origin, sandbox)) {
      return madeThawed(origin, sandbox, announcement, deadline, call);
    }
    Decision decision = log.decide(announcement, waking(origin, sandbox.id()));
    return madeWaking(origin, sandbox, decision, deadline, call);
  }

  /** Has a call made that the log knows of already. */
  <T> Answer<T> call(Origin origin, Sandbox sandbox, Call<T> call) {
    long deadline = deadline();
    return sandbox.status() == Status.RUNNING
        ? made(origin, new Answer.Done<>(sandbox), DURABLE, deadline, call)
        : madeWaking(origin, sandbox, log.decide(waking(origin, sandbox.id())), deadline, call);
  }

  private static long deadline() {
    return System.nanoTime() + PATIENCE.toNanos();
  }

  private static boolean isAtRest(Sandbox asleep) {
    return !asleep.isWaking() && !asleep.reason().keepsItAsleep();
  }

  /** Whether its node has it awake, which one that is frozen can be at once. */
  private boolean thaw(Origin origin, Sandbox sandbox) {
    return nodes
        .dataPlane(sandbox.nodeId())
        .filter(node -> ahead.thaw(node, sandbox.id(), sandbox.incarnation(), origin.requestId()))
        .isPresent();
  }

  /** Makes it while the log gets to know that the sandbox is awake, and what for. */
  private <T> Answer<T> madeThawed(
      Origin origin, Sandbox thawed, Command.Use announcement, long deadline, Call<T> call) {
    try (CommandLog.Asked announced = log.ask(announcement.thawed(thawed.version()))) {
      if (call.make(thawed, AWAKE, announced) instanceof Reply.Answered<T>(Answer<T> answer)) {
        if (announced.decision() instanceof Decision.Accepted(long version)) {
          var _ = progress.await(thawed.id(), now -> isSettled(now, version), left(deadline));
        }
        return explained(thawed.id(), answer);
      }
      return made(origin, wake(origin, thawed.id(), deadline), announced, deadline, call);
    }
  }

  /**
   * Makes it while the node wakes the sandbox. What the caller asks for next has to show it awake:
   * the answer waits for that. Where the node does not answer, the call is made after the wake.
   */
  private <T> Answer<T> madeWaking(
      Origin origin, Sandbox asleep, Decision decision, long deadline, Call<T> call) {
    if (decision instanceof Decision.Accepted(long version)
        && call.make(asleep, version, DURABLE) instanceof Reply.Answered<T>(Answer<T> answer)) {
      var _ = progress.await(asleep.id(), now -> isSettled(now, version), left(deadline));
      return explained(asleep.id(), answer);
    }
    return made(origin, woken(origin, asleep.id(), decision, deadline), DURABLE, deadline, call);
  }

  private static boolean isSettled(Sandbox now, long version) {
    return now.version() >= version && !now.isWaking();
  }

  private <T> Answer<T> made(
      Origin origin,
      Answer<Sandbox> first,
      CommandLog.Sent announced,
      long deadline,
      Call<T> call) {
    Answer<Sandbox> awake = first;
    Duration pause = Duration.ZERO;
    while (awake instanceof Answer.Done<Sandbox>(Sandbox now)) {
      switch (call.make(now, AWAKE, announced)) {
        case Reply.Answered<T>(Answer<T> answer) -> {
          return explained(now.id(), answer);
        }
        case Reply.Away<T>(String detail) -> {
          return explained(now.id(), away(detail));
        }
        case Reply.NotAwake<T>(String detail) when now.spec().mode() != Mode.PERSISTENT -> {
          return refused(NOT_RUNNING, detail);
        }
        case Reply.NotAwake<T>(String detail) -> {
          if (left(deadline).isZero() || !rest(pause)) {
            return refused(FAILED, "The sandbox's node does not have it awake: " + detail);
          }
        }
      }
      pause = pause.isZero() ? FIRST_PAUSE : shorter(pause.multipliedBy(2), LONGEST_PAUSE);
      awake = wake(origin, now.id(), deadline);
      if (awake instanceof Answer.Done<Sandbox>(Sandbox running)) {
        // Its node may have frozen it again for an order that was delivered twice.
        var _ = thaw(origin, running);
      }
    }
    return Answer.carry(
        awake,
        _ -> {
          throw new IllegalStateException("It is awake");
        });
  }

  /** That a sandbox ends under a call is nobody's failure: the end explains what the call met. */
  <T> Answer<T> explained(String id, Answer<T> answer) {
    return answer instanceof Answer.Refused<T> refused ? explained(id, refused) : answer;
  }

  <T> Answer.Refused<T> explained(String id, Answer.Refused<T> refused) {
    boolean odd =
        refused.code().equals("execution_outcome_unknown")
            || refused.code().equals(NODE_UNAVAILABLE);
    return odd
            && progress
                .await(id, now -> now.status() == Status.DESTROYED, ENDING)
                .filter(now -> now.status() == Status.DESTROYED)
                .isPresent()
        ? ended(refused)
        : refused;
  }

  private static <T> Answer.Refused<T> ended(Answer.Refused<T> refused) {
    return new Answer.Refused<>(
        refused.aftermath() == Aftermath.NOTHING ? NOT_RUNNING : "sandbox_ended",
        "The sandbox was destroyed. " + refused.detail(),
        refused.aftermath());
  }

  /** The sandbox as it is when it runs. Said after the node's word, and so decided after it. */
  private Answer<Sandbox> wake(Origin origin, String id, long deadline) {
    return woken(origin, id, log.decide(waking(origin, id)), deadline);
  }

  private Command.Wake waking(Origin origin, String id) {
    return new Command.Wake(origin.unkeyed().header(id, ids));
  }

  private Answer<Sandbox> woken(Origin origin, String id, Decision decision, long deadline) {
    return switch (decision) {
      case Decision.Accepted(long version) -> {
        Optional<Sandbox> seen = progress.await(id, now -> isSettled(now, version), left(deadline));
        yield seen.filter(now -> isSettled(now, version))
            .map(now -> settled(origin, now, deadline))
            .orElseGet(
                () ->
                    refused(
                        FAILED,
                        "The sandbox did not wake up within "
                            + PATIENCE.toSeconds()
                            + " s. It may still do so."));
      }
      case Decision.Rejected(String code, String detail, long version) -> {
        // A GET must agree.
        var _ = progress.await(id, now -> now.version() >= version, left(deadline));
        yield refused(code.equals("cannot_wake") ? NOT_RUNNING : code, detail);
      }
      case Decision.Undecided() ->
          refused(FAILED, "The sandbox was asked to wake up, but nothing was decided in time.");
    };
  }

  private Answer<Sandbox> settled(Origin origin, Sandbox now, long deadline) {
    return switch (now.status()) {
      case RUNNING -> new Answer.Done<>(now);
      case ABSENT, CREATING, DESTROYED -> notRunning(now);
      case SUSPENDED ->
          now.reason().keepsItAsleep() || left(deadline).isZero()
              ? refused(FAILED, "The sandbox can't be woken: " + now.reason().detail())
              // Somebody has put it to sleep again meanwhile.
              : wake(origin, now.id(), deadline);
    };
  }

  static <T> Answer<T> notRunning(Sandbox sandbox) {
    return refused(
        NOT_RUNNING,
        "Expected the sandbox to be running, but it is " + sandbox.status().text() + ".");
  }

  static <T> Answer<T> unreachable() {
    return away("The sandbox's node cannot be reached.");
  }

  static <T> Answer<T> away(String detail) {
    return refused(NODE_UNAVAILABLE, detail);
  }

  private static <T> Answer<T> refused(String code, String detail) {
    return new Answer.Refused<>(code, detail, Aftermath.NOTHING);
  }

  private static Duration left(long deadline) {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private static boolean rest(Duration pause) {
    try {
      Thread.sleep(pause);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
