package io.sandglass.executor.runtime;

import java.nio.file.Path;

/**
 * What a sandbox's container is made of.
 *
 * @param guestDirectory directory of the host that the sandbox sees read-only as {@code
 *     /.sandglass}; holds the guest's binary, which becomes the first process
 * @param token what the guest shows when it connects, so that the host knows it from other
 *     processes of the sandbox
 */
public record ContainerSpec(
    Life life,
    String orgId,
    String image,
    Limits limits,
    Network network,
    Path guestDirectory,
    String token) {

  /**
   * @param cpuMillis thousandths of a CPU
   */
  public record Limits(int cpuMillis, long memoryBytes) {
    public static final Limits NONE = new Limits(0, 0);
  }

  /** What the sandbox is connected to. */
  public enum Network {
    /** Nothing but itself. */
    NONE,
    /** The bridge all sandboxes share, on which they can't reach each other. */
    BRIDGE
  }

  @Override
  public String toString() {
    return "ContainerSpec[" + life + ", image=" + image + ", " + limits + ", " + network + "]";
  }
}
