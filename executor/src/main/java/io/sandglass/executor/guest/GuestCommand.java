package io.sandglass.executor.guest;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A command for {@code /bin/sh -c} inside a sandbox.
 *
 * @param workdir empty for the image's own
 * @param timeout positive, up to 49 days; counted by the guest from the start of the shell
 * @param env on top of the sandbox's own environment
 * @param stdin its standard input; {@code /dev/null} when empty. Not to be changed any more
 * @param detached it goes on without its connection; takes no standard input
 */
public record GuestCommand(
    String executionId,
    String command,
    String workdir,
    Duration timeout,
    Map<String, String> env,
    Optional<byte[]> stdin,
    boolean detached) {

  private static final long MAX_TIMEOUT_MS = 0xffff_ffffL;

  public GuestCommand {
    if (timeout.toMillis() <= 0 || timeout.toMillis() > MAX_TIMEOUT_MS) {
      throw new IllegalArgumentException(
          "Expected a timeout of 1 ms to 49 days, but got " + timeout);
    }
    env = Map.copyOf(env);
  }

  /** Without standard input. */
  public GuestCommand(
      String executionId,
      String command,
      String workdir,
      Duration timeout,
      Map<String, String> env) {
    this(executionId, command, workdir, timeout, env, Optional.empty(), false);
  }

  /** Without the values of the environment and the input: nobody's business in a log. */
  @Override
  public String toString() {
    return "GuestCommand[executionId=%s, timeout=%s, workdir=%s, env=%s]"
        .formatted(executionId, timeout, workdir, env.keySet());
  }
}
