package io.sandglass.api.dataplane;

import java.time.Duration;
import java.util.Map;

/**
 * A command for a sandbox's shell.
 *
 * @param workdir null for the image's own
 * @param stdin null for none
 */
public record Execution(
    String id,
    Life life,
    String command,
    Duration timeout,
    String workdir,
    Map<String, String> env,
    String stdin) {

  public Execution {
    env = Map.copyOf(env);
  }

  /** Without the command, its environment and its input, which are no one's business in a log. */
  @Override
  public String toString() {
    return "Execution[" + id + " in " + life.sandboxId() + "]";
  }
}
