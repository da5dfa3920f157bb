package io.sandglass.executor.guest;

import java.time.Duration;
import java.util.Map;

/**
 * A command for {@code /bin/sh -c} inside a sandbox.
 *
 * @param workdir empty for the image's own
 * @param timeout positive, up to 49 days; counted by the guest from the start of the shell
 * @param env on top of the sandbox's own environment
 */
public record GuestCommand(
    String executionId, String command, String workdir, Duration timeout, Map<String, String> env) {

  private static final long MAX_TIMEOUT_MS = 0xffff_ffffL;

  public GuestCommand {
    if (timeout.toMillis() <= 0 || timeout.toMillis() > MAX_TIMEOUT_MS) {
      throw new IllegalArgumentException(
          "Expected a timeout of 1 ms to 49 days, but got " + timeout);
    }
    env = Map.copyOf(env);
  }

  /** Without the values of the environment, which are nobody's business in a log. */
  @Override
  public String toString() {
    return "GuestCommand[executionId=%s, timeout=%s, workdir=%s, env=%s]"
        .formatted(executionId, timeout, workdir, env.keySet());
  }
}
