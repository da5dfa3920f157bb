package io.sandglass.executor.network.nft;

import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Runs programs in the network namespace that the bridge is in.
 *
 * @param enginePidFile tells the process of the Docker Engine, which is in that namespace; read
 *     every time, for the Engine may be restarted. Empty when this process is in the namespace
 *     itself
 */
public record HostCommands(Optional<Path> enginePidFile) {
  static final Duration PATIENCE = Duration.ofSeconds(20);

  /** What a program wrote and how it ended. */
  record Output(int code, String text) {}

  /** Runs a program; whatever its exit code is, this is the answer. */
  Output run(String... command) {
    List<String> whole = new ArrayList<>();
    namespace().ifPresent(net -> whole.addAll(List.of("nsenter", "--net=" + net, "--")));
    whole.addAll(List.of(command));
    String name = String.join(" ", whole);
    try {
      Process process = new ProcessBuilder(whole).redirectErrorStream(true).start();
      CompletableFuture.delayedExecutor(PATIENCE.toSeconds(), TimeUnit.SECONDS)
          .execute(process::destroyForcibly);
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Output(process.waitFor(), text);
    } catch (IOException e) {
      throw new RuntimeUnavailableException(name + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RuntimeUnavailableException("interrupted while " + name + " ran", e);
    }
  }

  /** The Engine's network namespace as it is now; empty when this process is in it itself. */
  Optional<Path> namespace() {
    return enginePidFile.map(file -> Path.of("/proc", Long.toString(pid(file)), "ns", "net"));
  }

  private static long pid(Path file) {
    try {
      return Long.parseLong(Files.readString(file).strip());
    } catch (IOException | NumberFormatException e) {
      throw new RuntimeUnavailableException(file + " does not tell the Engine's process", e);
    }
  }
}
