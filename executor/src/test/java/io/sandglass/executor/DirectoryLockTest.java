package io.sandglass.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Between processes, as the lock is meant for. */
@Timeout(60)
final class DirectoryLockTest {
  @TempDir Path data;

  /** Takes the directory, says so, and holds it until it is killed. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws Exception {
      DirectoryLock.take(Path.of(args[0]));
      System.out.println("taken");
      Thread.sleep(Long.MAX_VALUE);
    }
  }

  private Process holder() throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                data.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader said = process.inputReader();
    assertThat(said.readLine()).isEqualTo("taken");
    return process;
  }

  @Test
  void whoComesSecondIsToldWhoIsThere() throws Exception {
    Process first = holder();
    try {
      assertThatThrownBy(() -> DirectoryLock.take(data))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("(process " + first.pid() + ")")
          .hasMessageContaining(data.toString());
    } finally {
      first.destroyForcibly().onExit().join();
    }
    DirectoryLock next = DirectoryLock.take(data);
    next.stop();
    holder().destroyForcibly().onExit().join();
  }
}
