package io.sandglass.engine.lifecycle;

import java.time.Duration;
import java.util.Optional;

/**
 * How an execution ended.
 *
 * @param exitCode empty when it is not known: an exit code is never made up
 * @param failure why it is not known
 */
public record ExecutionResult(
    Optional<Integer> exitCode,
    boolean timedOut,
    boolean truncated,
    long stdoutBytes,
    long stderrBytes,
    long fileBytes,
    Duration duration,
    Optional<String> failure) {}
