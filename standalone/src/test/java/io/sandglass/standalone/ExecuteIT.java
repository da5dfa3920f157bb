package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Commands that misbehave, through the whole system: the documented answer, and a sandbox that goes
 * on working.
 */
@ExtendWith(SharedSandglass.class)
class ExecuteIT {
  private static final int LIMIT = 10 << 20;

  private static ApiClient api;
  private static String id;

  @BeforeAll
  static void start(ApiClient organization) {
    api = organization;
    id = api.create("{\"template\": \"python\", \"timeout\": \"1h\"}");
  }

  /** Five gigabytes through a JVM of 768 MB: what is over the limit is dropped on the way. */
  @Test
  void floodsAreCutAndTheRestIsDropped() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<JsonNode>> floods =
          IntStream.range(0, 5)
              .mapToObj(
                  _ -> threads.submit(() -> run("yes | head -c 1000000000; echo done >&2", "2m")))
              .toList();
      for (Future<JsonNode> flood : floods) {
        JsonNode answer = flood.get();
        assertThat(answer.get("exit_code").asInt()).isZero();
        assertThat(answer.get("truncated").asBoolean()).isTrue();
        assertThat(answer.get("stdout").asText()).hasSize(LIMIT);
        assertThat(answer.get("stderr").asText()).isEqualTo("done\n");
      }
    }
    assertThat(run("echo still here", "30s").get("stdout").asText()).isEqualTo("still here\n");
  }

  @Test
  void aTimeoutEndsTheWholeProcessTree() {
    JsonNode answer =
        run(
            "setsid sh -c 'sleep 54321 & sleep 54321' & (sleep 54321 &) ; env -i sleep 54321",
            "2s");
    assertThat(answer.get("exit_code").asInt()).isEqualTo(124);
    assertThat(answer.get("timed_out").asBoolean()).isTrue();
    assertThat(answer.get("duration_ms").asLong()).isBetween(2_000L, 4_000L);
    assertThat(run("pgrep -cfx 'sleep 54321'", "30s").get("stdout").asText()).isEqualTo("0\n");
  }

  @Test
  void aBackgroundProcessOutlivesItsCommandAndDelaysNoAnswer() {
    assertThat(run("sleep 12345 & echo started", "30s").get("stdout").asText())
        .isEqualTo("started\n");
    assertThat(run("pkill -fx 'sleep 12345'", "30s").get("exit_code").asInt()).isZero();
  }

  @Test
  void closedStreamsDoNotHideTheExitCode() {
    assertThat(run("exec >&- 2>&-; sleep 1; exit 7", "30s").get("exit_code").asInt()).isEqualTo(7);
  }

  @Test
  void memoryBeyondTheSizeEndsTheCommandAndNotTheSandbox() {
    JsonNode answer = run("python3 -c 'x = bytearray(1 << 30)'", "1m");
    assertThat(answer.get("exit_code").asInt()).isEqualTo(137);
    assertThat(api.status(id)).isEqualTo("running");
    assertThat(run("echo alive", "30s").get("stdout").asText()).isEqualTo("alive\n");
  }

  private static JsonNode run(String command, String timeout) {
    String body =
        new ObjectMapper()
            .createObjectNode()
            .put("command", command)
            .put("timeout", timeout)
            .toString();
    return api.post("/v1/sandboxes/" + id + "/execute", body).expect(200).body();
  }
}
