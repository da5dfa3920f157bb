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

  /** OCI runtimes whose containers are processes of the host's kernel and nothing else. */
  private static final Set<String> NATIVE = Set.of("", "runc", "crun");

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
   * Whether a container's processes are the host's, in its control group, and its network namespace
   * is left as it was. gVisor takes the addresses out of it (setupNetwork in its
   * runsc/sandbox/network.go), and has to be told of a pause.
   */
  boolean areNative() {
    return NATIVE.contains(runtime);
  }

  private static String ownProfile() throws IOException {
    try (InputStream profile = Walls.class.getResourceAsStream(OWN_PROFILE)) {
      return new String(profile.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
