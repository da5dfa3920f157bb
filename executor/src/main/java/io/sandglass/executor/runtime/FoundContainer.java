package io.sandglass.executor.runtime;

import java.time.Instant;
import java.util.Optional;

/**
 * A sandbox's container as the runtime shows it.
 *
 * @param life whose it is, as its name says
 * @param origin whose it was when it was made: what it was given then, it keeps. A spare, or the
 *     spare that it was, or {@code life}
 * @param orgId whose sandbox it was made for; empty when it was made as a spare
 * @param limits in force, when the runtime was asked about this one alone
 * @param containerId the runtime's own id, new for every creation
 * @param imageId of the image that it was made from
 * @param address IPv4, on the sandboxes' bridge, if it was made there
 * @param exit how it ended, when it has and the runtime was asked about this one alone
 */
public record FoundContainer(
    Life life,
    Life origin,
    String orgId,
    ContainerSpec.Limits limits,
    String containerId,
    String imageId,
    Optional<String> address,
    Phase phase,
    Optional<Exit> exit) {

  /** Whether it was made ahead, for whichever sandbox would claim it. */
  public boolean wasSpare() {
    return origin.isSpare();
  }

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
