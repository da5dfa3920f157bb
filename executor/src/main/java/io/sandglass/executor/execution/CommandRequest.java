package io.sandglass.executor.execution;

import java.time.Duration;
import java.util.Map;

/**
 * A command for a sandbox.
 *
 * @param command for {@code /bin/sh -c}
 * @param workdir empty for the image's own
 */
public record CommandRequest(
    String executionId, String command, String workdir, Map<String, String> env, Duration timeout) {

  /** Without the command and the environment: they are the user's and never logged. */
  @Override
  public String toString() {
    return "CommandRequest[" + executionId + ", timeout=" + timeout + "]";
  }
}
