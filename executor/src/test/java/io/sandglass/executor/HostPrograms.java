package io.sandglass.executor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Programs of the machine that runs the tests. */
public final class HostPrograms {
  private HostPrograms() {}

  /** What it writes; fails with that when it fails, or has not ended after five minutes. */
  public static String run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      var _ =
          process
              .onExit()
              .orTimeout(5, TimeUnit.MINUTES)
              .exceptionally(_ -> process.destroyForcibly());
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new AssertionError(
            String.join(" ", command) + " ended with " + process.exitValue() + ": " + text);
      }
      return text.strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
