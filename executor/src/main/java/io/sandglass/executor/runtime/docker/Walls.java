package io.sandglass.executor.runtime.docker;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/**
 * What stands between a sandbox's processes and the kernel.
 *
 * @param runtime the OCI runtime as the Engine knows it, such as {@code runsc}; empty for the
 *     Engine's default
 * @param seccompProfile which system calls pass, in the Engine's JSON
 */
public record Walls(String runtime, String seccompProfile) {
  private static final String OWN_PROFILE = "seccomp.json";

  /** OCI runtimes that join a network namespace and change nothing in it. */
  private static final Set<String> LEAVING_NETWORKS = Set.of("", "runc", "crun");

  /**
   * @param runtime empty for the Engine's default
   * @param seccompFile a profile to use instead of our own; empty for our own
   */
  public static Walls of(String runtime, String seccompFile) {
    try {
      return new Walls(
          runtime, seccompFile.isEmpty() ? ownProfile() : Files.readString(Path.of(seccompFile)));
    } catch (IOException e) {
      throw new UncheckedIOException("The seccomp profile " + seccompFile + " can't be read", e);
    }
  }

  /**
   * Whether a container that is started again finds its network namespace as it was. gVisor takes
   * the addresses out of it (setupNetwork in its runsc/sandbox/network.go).
   */
  boolean leaveNetworks() {
    return LEAVING_NETWORKS.contains(runtime);
  }

  private static String ownProfile() throws IOException {
    try (InputStream profile = Walls.class.getResourceAsStream(OWN_PROFILE)) {
      return new String(profile.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
