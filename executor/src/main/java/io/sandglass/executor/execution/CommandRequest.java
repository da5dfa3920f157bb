package io.sandglass.executor.execution;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A command for a sandbox.
 *
 * @param command for {@code /bin/sh -c}
 * @param workdir empty for the image's own
 * @param stdin empty for none; not to be changed any more
 * @param detached it goes on without a caller; takes no standard input
 */
public record CommandRequest(
    String executionId,
    String command,
    String workdir,
    Map<String, String> env,
    Duration timeout,
    Optional<byte[]> stdin,
    boolean detached) {

  /** Without standard input. */
  public CommandRequest(
      String executionId,
      String command,
      String workdir,
      Map<String, String> env,
      Duration timeout) {
    this(executionId, command, workdir, env, timeout, Optional.empty(), false);
  }

  /** Without the command, its environment and its input: they are the user's and never logged. */
  @Override
  public String toString() {
    return "CommandRequest[" + executionId + ", timeout=" + timeout + "]";
  }
}
