package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * When time itself becomes a command. Deadlines are a function of state: nothing sets or cancels
 * one, so none can be forgotten, and one that no longer follows from the state is stale by simple
 * comparison.
 */
public record Deadline(Kind kind, Instant due) {

  /** What is due. */
  public enum Kind {
    /** An ephemeral sandbox's end. */
    EXPIRY,
    /** A persistent sandbox's suspend after inactivity. */
    IDLE,
    /** A start that takes too long. */
    START,
    /** A suspend the node does not answer. */
    SUSPEND,
    /** A resume the node does not answer. */
    RESUME,
    /** A stop the node does not answer. */
    STOP,
    /** The end of keeping a suspended sandbox in memory. */
    FREEZE
  }

  private static final int MAX_DOUBLINGS = 6;

  /** Later than any deadline: the last millisecond that four digits of year can tell. */
  private static final Instant NEVER = Instant.parse("9999-12-31T23:59:59.999Z");

  /** All that is due for this state, at most one of each kind. */
  public static List<Deadline> of(Sandbox sandbox) {
    return switch (sandbox) {
      case Sandbox.Absent _, Sandbox.Ended _ -> List.of();
      case Sandbox.Live(Tenure tenure, Stage stage, long _) ->
          switch (stage) {
            case Stage.Starting starting ->
                withExpiry(
                    tenure,
                    new Deadline(
                        Kind.START, after(starting.since(), tenure.spec().patience().start())));
            case Stage.Running _ ->
                switch (tenure.spec().mode()) {
                  case Mode.Ephemeral _ -> withExpiry(tenure);
                  case Mode.Persistent(Duration idle) ->
                      withExpiry(tenure, new Deadline(Kind.IDLE, idleAt(tenure, idle)));
                };
            case Stage.Suspending suspending ->
                withExpiry(
                    tenure,
                    new Deadline(
                        Kind.SUSPEND,
                        retryAt(
                            suspending.since(),
                            tenure.spec().patience().suspendRetry(),
                            suspending.attempt())));
            case Stage.Suspended(Depth depth, Instant since) ->
                switch (depth) {
                  case FROZEN ->
                      withExpiry(
                          tenure,
                          new Deadline(
                              Kind.FREEZE, after(since, tenure.spec().patience().freezeFor())));
                  case STOPPED -> withExpiry(tenure);
                };
            case Stage.Resuming resuming ->
                withExpiry(
                    tenure,
                    new Deadline(
                        Kind.RESUME,
                        retryAt(
                            resuming.since(),
                            tenure.spec().patience().resumeRetry(),
                            resuming.attempt())));
            case Stage.Stopping stopping ->
                List.of(
                    new Deadline(
                        Kind.STOP,
                        retryAt(
                            stopping.since(),
                            tenure.spec().patience().stopRetry(),
                            stopping.attempt())));
          };
    };
  }

  /** The sum, or {@link #NEVER} where it would be later: no client's number overflows. */
  static Instant after(Instant start, Duration wait) {
    return wait.compareTo(Duration.between(start, NEVER)) < 0 ? start.plus(wait) : NEVER;
  }

  private static List<Deadline> withExpiry(Tenure tenure, Deadline... others) {
    List<Deadline> all = new ArrayList<>(List.of(others));
    tenure.expiresAt().ifPresent(due -> all.add(new Deadline(Kind.EXPIRY, due)));
    return List.copyOf(all);
  }

  /**
   * Work in flight holds the idle clock, but not for ever: an end that is never reported is
   * assumed.
   */
  private static Instant idleAt(Tenure tenure, Duration idle) {
    Instant idleAt = after(tenure.lastActivityAt(), idle);
    for (InFlight execution : tenure.inFlight().values()) {
      if (execution.until().isAfter(idleAt)) {
        idleAt = execution.until();
      }
    }
    return idleAt;
  }

  private static Instant retryAt(Instant since, Duration patience, int attempt) {
    return after(since, patience.multipliedBy(1L << Math.min(attempt - 1, MAX_DOUBLINGS)));
  }
}
