package io.sandglass.executor.execution;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How an execution ended, as it is told to the log.
 *
 * @param exitCode empty for a transfer, and when it is not known, and then {@code failure} says why
 * @param stdoutBytes all that was written, dropped bytes included
 * @param fileBytes that a transfer has moved
 */
public record ExecutionEnd(
    String executionId,
    OptionalInt exitCode,
    boolean timedOut,
    boolean truncated,
    long stdoutBytes,
    long stderrBytes,
    long fileBytes,
    Duration took,
    Optional<String> failure) {

  /** The end of an upload or a download. */
  public static ExecutionEnd ofTransfer(
      String executionId, long fileBytes, Duration took, Optional<String> failure) {
    return new ExecutionEnd(
        executionId, OptionalInt.empty(), false, false, 0, 0, fileBytes, took, failure);
  }

  /** One of which nothing but its failure is known. */
  public static ExecutionEnd unknown(String executionId, String failure) {
    return new ExecutionEnd(
        executionId,
        OptionalInt.empty(),
        false,
        false,
        0,
        0,
        0,
        Duration.ZERO,
        Optional.of(failure));
  }
}
