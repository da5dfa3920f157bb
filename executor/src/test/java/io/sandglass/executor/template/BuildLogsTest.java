package io.sandglass.executor.template;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BuildLogsTest {
  @TempDir Path data;
  private BuildLogs logs;

  @BeforeEach
  void open() throws IOException {
    logs = new BuildLogs(data, 10);
  }

  private String read(String revision, boolean follow) throws IOException, InterruptedException {
    ByteArrayOutputStream to = new ByteArrayOutputStream();
    logs.read(revision).orElseThrow().copyTo(to, follow);
    return to.toString(UTF_8);
  }

  @Test
  void aLogIsReadWhileItGrowsAndAfterItsEnd() throws Exception {
    assertThat(logs.read("tpr_a")).isEmpty();
    BuildLogs.Writing log = logs.begin("tpr_a");
    log.write("one ".getBytes(UTF_8));
    ByteArrayOutputStream seen = new ByteArrayOutputStream();
    BuildLogs.Reading reading = logs.read("tpr_a").orElseThrow();
    CompletableFuture<Void> follower =
        CompletableFuture.runAsync(
            () -> {
              try {
                reading.copyTo(seen, true);
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> seen.toString(UTF_8).equals("one "));
    assertThat(read("tpr_a", false)).isEqualTo("one ");

    log.write("two ".getBytes(UTF_8));
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> seen.toString(UTF_8).equals("one two "));
    log.end("Done.");
    log.close();
    follower.get(30, TimeUnit.SECONDS);

    assertThat(seen.toString(UTF_8)).isEqualTo("one two Done.\n");
    assertThat(read("tpr_a", true)).isEqualTo("one two Done.\n");
  }

  @Test
  void ofAFloodTheBeginningIsKeptAndTheLastWords() throws Exception {
    try (BuildLogs.Writing log = logs.begin("tpr_b")) {
      for (int i = 0; i < 1000; i++) {
        log.write("abcd".getBytes(UTF_8));
      }
      log.end("Failed.");
    }
    assertThat(read("tpr_b", true)).isEqualTo("abcdabcdab\n… the rest is not kept\nFailed.\n");
  }

  @Test
  void othersAreForgotten() throws Exception {
    logs.begin("tpr_old").close();
    logs.begin("tpr_new").close();

    logs.keep(Set.of("tpr_new"));

    assertThat(logs.read("tpr_old")).isEmpty();
    assertThat(logs.read("tpr_new")).isPresent();
  }
}
