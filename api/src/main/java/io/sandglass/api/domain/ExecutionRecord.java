package io.sandglass.api.domain;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A command that ran in a sandbox, as the log tells it.
 *
 * @param detached whether it goes on without its caller
 * @param actor who had it run
 * @param startedVersion of the event that tells that it was about to begin
 * @param end null until the log tells of one
 */
public record ExecutionRecord(
    String sandboxId,
    String id,
    String command,
    boolean detached,
    Duration timeout,
    String actor,
    long startedVersion,
    Instant startedAt,
    End end) {

  /** How long past its timeout the word of its end may take. */
  private static final Duration LATE = Duration.ofMinutes(1);

  private static final String UNHEARD = "lost: nothing was heard of its end";

  /** What a node, or this API, says of what never began: the failure's first word. */
  private static final Set<String> NEVER_BEGAN =
      Set.of(
          "never_began",
          "not_running",
          "workdir_unavailable",
          "request_too_large",
          "cannot_exec",
          "guest_unreachable",
          "no_resources");

  /** What has become of it. */
  public enum State {
    RUNNING,
    /** It ended with an exit code. */
    FINISHED,
    /** It never began. */
    FAILED,
    /** It is over, or must be, and its exit code is not known. */
    LOST;

    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Its end.
   *
   * @param exitCode null when it will never be known; then {@code failure} says why
   * @param stdoutBytes null when it is not known, like the two after it
   * @param failure null when nothing unusual happened
   */
  public record End(
      Instant at,
      Integer exitCode,
      boolean timedOut,
      boolean truncated,
      Long stdoutBytes,
      Long stderrBytes,
      Long durationMs,
      String failure) {}

  public State state(Instant now) {
    if (end == null) {
      return now.isAfter(startedAt.plus(timeout).plus(LATE)) ? State.LOST : State.RUNNING;
    }
    if (end.exitCode() != null) {
      return State.FINISHED;
    }
    String code = end.failure() == null ? "" : end.failure().split(":", 2)[0];
    return NEVER_BEGAN.contains(code) ? State.FAILED : State.LOST;
  }

  /** Why there is no exit code, or what was unusual about the end. */
  public Optional<String> failure(Instant now) {
    return end == null
        ? Optional.of(UNHEARD).filter(_ -> state(now) == State.LOST)
        : Optional.ofNullable(end.failure());
  }
}
