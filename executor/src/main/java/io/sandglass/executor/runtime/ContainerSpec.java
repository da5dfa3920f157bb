package io.sandglass.executor.runtime;

import java.nio.file.Path;

/**
 * What a sandbox's container is made of.
 *
 * @param address IPv4, on the bridge that all sandboxes share
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
    String address,
    Path guestDirectory,
    String token) {

  /**
   * @param cpuMillis thousandths of a CPU
   */
  public record Limits(int cpuMillis, long memoryBytes) {
    public static final Limits NONE = new Limits(0, 0);
  }

  @Override
  public String toString() {
    return "ContainerSpec[" + life + ", image=" + image + ", " + limits + ", " + address + "]";
  }
}
