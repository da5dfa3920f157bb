package io.sandglass.executor.guest;

import java.time.Duration;

/** How an execution ended. Only {@link Exited} has an exit code: none is ever made up. */
public sealed interface GuestResult {

  /**
   * The command ended, or was ended.
   *
   * @param exitCode 0 to 255; 128 + n after signal n, 124 after the timeout
   * @param duration never longer than the host waited
   * @param killed by {@link GuestExecution#abort()}
   * @param survivors processes remain that the kernel would not let go of in time
   * @param cpuTime of the processes that have been waited for; a claim of the guest
   * @param peakMemoryBytes of the largest process; a claim of the guest
   */
  record Exited(
      int exitCode,
      Duration duration,
      boolean timedOut,
      boolean killed,
      boolean survivors,
      Duration cpuTime,
      long peakMemoryBytes)
      implements GuestResult {}

  /** The command was never started. */
  record Failed(GuestFailure failure, String detail) implements GuestResult {}

  /**
   * The execution was lost: whether, and how far, the command ran is not known; what is left of it
   * is killed.
   */
  record Broken(String reason) implements GuestResult {}
}
