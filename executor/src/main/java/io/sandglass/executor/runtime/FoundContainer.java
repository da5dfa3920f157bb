package io.sandglass.executor.runtime;

import java.time.Instant;
import java.util.Optional;

/**
 * A sandbox's container as the runtime shows it.
 *
 * @param containerId the runtime's own id, new for every creation
 * @param address IPv4, on the sandboxes' bridge, if it was made there
 * @param exit how it ended, when it has and the runtime was asked about this one alone
 */
public record FoundContainer(
    Life life,
    String orgId,
    ContainerSpec.Limits limits,
    String containerId,
    Optional<String> address,
    Phase phase,
    Optional<Exit> exit) {

  /** What a container is doing. */
  public enum Phase {
    /** Made, but its first process has never run. */
    CREATED,
    RUNNING,
    /** All its processes are held; its memory is kept. */
    FROZEN,
    /** Its first process has ended; its files are kept. */
    EXITED,
    /** On its way out. */
    REMOVING
  }

  /**
   * How the first process ended.
   *
   * @param code 128 + n for a signal
   * @param oomKilled whether the kernel ended it for want of memory
   */
  public record Exit(int code, boolean oomKilled, Instant at) {}
}
