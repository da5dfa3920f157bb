package io.sandglass.executor.execution;

import java.time.Duration;
import java.util.OptionalInt;

/** How a command ended. Only {@link Exited} has an exit code: none is ever made up. */
public sealed interface GuestAnswer {

  /**
   * @param exitCode 128 + n for a signal, 124 when it ran out of time
   */
  record Exited(int exitCode, boolean timedOut, Duration took) implements GuestAnswer {}

  /**
   * It was killed because we asked for that.
   *
   * @param exitCode empty when nobody waited for it
   */
  record Aborted(OptionalInt exitCode) implements GuestAnswer {}

  /** It did not run; the guest says why. */
  record Refused(String code, String detail) implements GuestAnswer {}

  /** Whether, and how far, it ran is not known; nothing of it is left. */
  record Broken(String reason) implements GuestAnswer {}
}
