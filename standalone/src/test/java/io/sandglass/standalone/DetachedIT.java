package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Commands that go on without their caller, through the whole system. */
@Timeout(180)
@ExtendWith(SharedSandglass.class)
class DetachedIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static SandglassProcess sandglass;
  private static ApiClient api;
  private static String id;

  @BeforeAll
  static void start(SandglassProcess shared, ApiClient organization) {
    sandglass = shared;
    api = organization;
    id = api.create("{\"template\": \"python\", \"timeout\": \"1h\"}");
  }

  private static ApiClient.Answer begin(String command, String timeout, String key) {
    return begin(id, command, timeout, key);
  }

  private static ApiClient.Answer begin(
      String sandbox, String command, String timeout, String key) {
    ObjectNode body = JSON.createObjectNode().put("command", command).put("detach", true);
    if (timeout != null) {
      body.put("timeout", timeout);
    }
    return api.post(
            "/v1/sandboxes/" + sandbox + "/execute",
            body.toString(),
            key == null ? Map.of() : Map.of("Idempotency-Key", key))
        .expect(202);
  }

  /** The path of a new one. */
  private static String begin(String command, String timeout) {
    return begin(command, timeout, null).header("Location").orElseThrow();
  }

  private static String beginIn(String sandbox, String command) {
    return begin(sandbox, command, null, null).header("Location").orElseThrow();
  }

  private static JsonNode awaitEnd(String path) {
    return await(path)
        .atMost(PATIENCE)
        .until(
            () -> api.get(path).expect(200).body(),
            execution -> !execution.path("state").asText().equals("running"));
  }

  private static long events(String type, String path) {
    String execution = path.substring(path.lastIndexOf('/') + 1);
    long count = 0;
    for (JsonNode event : api.events(id)) {
      if (event.path("type").asText().equals(type)
          && event.path("data").path("execution_id").asText().equals(execution)) {
        count++;
      }
    }
    return count;
  }

  private static String run(String command) {
    return api.execute(id, command).expect(200).text("stdout").strip();
  }

  @Test
  void itsOutputIsReadAsItComes() throws Exception {
    String path =
        begin("for i in 1 2 3 4; do echo é$i; sleep 0.3; done; echo oops >&2; exit 7", null);

    StringBuilder seen = new StringBuilder();
    int readings = 0;
    JsonNode execution;
    long stdout = 0;
    do {
      execution = api.get(path + "?stdout_offset=" + stdout).expect(200).body();
      seen.append(execution.path("stdout").asText());
      stdout = execution.path("stdout_next_offset").asLong();
      readings++;
      TimeUnit.MILLISECONDS.sleep(50); // how often a client asks is its own affair
    } while (execution.path("state").asText().equals("running"));

    assertThat(seen).hasToString("é1\né2\né3\né4\n");
    assertThat(readings).isGreaterThan(1);
    assertThat(stdout).isEqualTo(16);
    assertThat(execution.path("state").asText()).isEqualTo("finished");
    assertThat(execution.path("exit_code").asInt()).isEqualTo(7);
    assertThat(execution.path("stderr").asText()).isEqualTo("oops\n");
    assertThat(execution.path("stdout_bytes").asLong()).isEqualTo(16);
    assertThat(execution.path("duration_ms").asLong()).isGreaterThanOrEqualTo(1_200);
    assertThat(api.get("/v1/sandboxes/" + id + "/executions").expect(200).body().toString())
        .contains(execution.path("id").asText());
  }

  /** What a reader of events remembers over cuts. */
  private static final class Reader {
    private final List<String> texts = new ArrayList<>();
    private String lastId = "";
    private JsonNode exit;

    /** Reads that many pieces, or all there are, and hangs up. */
    void read(String path, int most) throws Exception {
      try (Stream<String> lines =
          api.follow(path, lastId.isEmpty() ? Map.of() : Map.of("Last-Event-ID", lastId))) {
        String name = "";
        String pending = "";
        int pieces = 0;
        for (Iterator<String> each = lines.iterator(); pieces < most && each.hasNext(); ) {
          String line = each.next();
          if (line.startsWith("event: ")) {
            name = line.substring(7);
          } else if (line.startsWith("id: ")) {
            pending = line.substring(4);
          } else if (line.startsWith("data: ")) {
            JsonNode event = JSON.readTree(line.substring(6));
            lastId = pending;
            if (name.equals("stdout")) {
              texts.add(event.path("text").asText());
              pieces++;
            } else if (name.equals("exit")) {
              exit = event;
            }
          }
        }
      }
    }
  }

  @Test
  void itIsFollowedOverCuts() throws Exception {
    String path = begin("for i in $(seq 1 30); do echo $i; sleep 0.05; done; exit 3", null);
    String whole =
        IntStream.rangeClosed(1, 30).mapToObj(n -> n + "\n").collect(Collectors.joining());

    Reader reader = new Reader();
    reader.read(path, 2);
    reader.read(path, 1);
    assertThat(reader.exit).isNull();
    reader.read(path, Integer.MAX_VALUE);

    assertThat(String.join("", reader.texts)).isEqualTo(whole);
    assertThat(reader.exit.path("exit_code").asInt()).isEqualTo(3);
    Reader late = new Reader();
    late.read(path + "?follow=true", Integer.MAX_VALUE);
    assertThat(String.join("", late.texts)).isEqualTo(whole);
    assertThat(late.exit.path("exit_code").asInt()).isEqualTo(3);
  }

  /** Seen from inside: nothing of the tree is left, however it has been hidden. */
  @Test
  void killingItEndsTheWholeTree() {
    String sleep = "sleep 4244";
    String path = begin("setsid sh -c '" + sleep + " & " + sleep + "' & env -i " + sleep, null);
    await().atMost(PATIENCE).until(() -> run("pgrep -cfx '" + sleep + "'").equals("3"));

    api.delete(path).expect(204);

    assertThat(run("pgrep -cfx '" + sleep + "'")).isEqualTo("0");
    JsonNode execution = api.get(path).expect(200).body();
    assertThat(execution.path("state").asText()).isEqualTo("finished");
    assertThat(execution.path("exit_code").asInt()).isEqualTo(137);
    assertThat(execution.path("failure").asText()).isEqualTo("killed: on request");
    api.delete(path).expect(204);
    assertThat(events("ExecutionFinished", path)).isEqualTo(1);
  }

  @Test
  void aTimeoutEndsIt() {
    JsonNode execution = awaitEnd(begin("echo begun; sleep 60", "1s"));
    assertThat(execution.path("exit_code").asInt()).isEqualTo(124);
    assertThat(execution.path("timed_out").asBoolean()).isTrue();
    assertThat(execution.path("stdout").asText()).isEqualTo("begun\n");
  }

  @Test
  void whatCannotBeginIsNoExecution() {
    ApiClient.Answer answer =
        api.post(
            "/v1/sandboxes/" + id + "/execute",
            "{\"command\":\"true\",\"detach\":true,\"workdir\":\"/nowhere\"}");
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(400);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        api.get("/v1/sandboxes/" + id + "/executions")
                            .expect(200)
                            .body()
                            .path("executions")
                            .findValuesAsText("state"))
                    .contains("failed"));
  }

  @Test
  void theOutputOfTheLastSixteenIsKept() {
    String first = begin("echo first", null);
    awaitEnd(first);
    String second = begin("echo second", null);
    awaitEnd(second);
    assertThat(api.get(first).expect(200).text("stdout")).isEqualTo("first\n");

    for (int i = 0; i < 15; i++) {
      awaitEnd(begin("true", null));
    }

    await().atMost(PATIENCE).until(() -> api.get(first).expect(200).text("output").equals("gone"));
    assertThat(api.get(first + "?follow=true").expect(410).text("code")).isEqualTo("output_gone");
    JsonNode record = api.get(first).expect(200).body();
    assertThat(record.path("exit_code").asInt()).isZero();
    assertThat(record.path("stdout_bytes").asLong()).isEqualTo(6);
    assertThat(api.get(second).expect(200).text("stdout")).isEqualTo("second\n");
  }

  @Test
  void itHoldsOffSuspendingAndWakesWhatSleeps() {
    String sandbox =
        api.create("{\"template\": \"base\", \"mode\": \"persistent\", \"idle_timeout\": \"1s\"}");
    // Longer than its sandbox may be idle, and until it is told to end.
    String path =
        beginIn(
            sandbox, "sleep 3; echo slept; until [ -e /tmp/enough ]; do sleep 0.1; done; exit 5");
    assertThat(api.post("/v1/sandboxes/" + sandbox + "/suspend", "").expect(409).text("code"))
        .isEqualTo("execution_in_flight");
    await()
        .atMost(PATIENCE)
        .until(() -> api.get(path).expect(200).text("stdout").equals("slept\n"));
    api.execute(sandbox, "touch /tmp/enough").expect(200);
    assertThat(awaitEnd(path).path("exit_code").asInt()).isEqualTo(5);

    await().atMost(PATIENCE).until(() -> api.status(sandbox).equals("suspended"));
    List<String> types = api.events(sandbox).findValuesAsText("type");
    assertThat(
            types.subList(
                types.indexOf("ExecutionStarted"), types.lastIndexOf("ExecutionFinished")))
        .doesNotContain("SuspendRequested");
    assertThat(api.get(path).expect(200).text("output")).isEqualTo("unreachable");
    assertThat(api.status(sandbox)).isEqualTo("suspended");

    String next = beginIn(sandbox, "echo awake");
    assertThat(awaitEnd(next).path("stdout").asText()).isEqualTo("awake\n");
    assertThat(api.events(sandbox).findValuesAsText("type")).contains("SandboxResumed");
    // It was frozen, so it has kept what the first one wrote; one more keeps it awake for that.
    assertThat(beginIn(sandbox, "sleep 60")).isNotNull();
    assertThat(api.get(path).expect(200).text("stdout")).isEqualTo("slept\n");
    api.destroy(sandbox);
  }

  @Test
  void itOutlivesTheWholeProcess() {
    String counting =
        "i=0; while [ ! -e /tmp/enough ]; do echo $i; i=$((i+1)); sleep 0.1; done; echo $i >&2; exit 9";
    String path = begin(counting, "10m", "outlive").header("Location").orElseThrow();
    await().atMost(PATIENCE).until(() -> api.get(path).expect(200).text("stdout").contains("1\n"));

    sandglass.kill();
    sandglass.launch();
    sandglass.awaitReady();

    JsonNode found = api.get(path).expect(200).body();
    assertThat(found.path("state").asText()).as("%s", found).isEqualTo("running");
    assertThat(begin(counting, "10m", "outlive").header("Location")).contains(path);
    await().atMost(PATIENCE).until(() -> api.execute(id, "touch /tmp/enough").status() == 200);
    JsonNode execution = awaitEnd(path);
    assertThat(execution.path("exit_code").asInt()).isEqualTo(9);
    assertThat(execution.path("failure").isNull()).as("%s", execution.path("failure")).isTrue();
    int counted = Integer.parseInt(execution.path("stderr").asText().strip());
    assertThat(execution.path("stdout").asText().lines())
        .containsExactlyElementsOf(
            IntStream.range(0, counted).mapToObj(Integer::toString).toList());
    assertThat(events("ExecutionStarted", path)).isEqualTo(1);
    assertThat(events("ExecutionFinished", path)).isEqualTo(1);
  }
}
