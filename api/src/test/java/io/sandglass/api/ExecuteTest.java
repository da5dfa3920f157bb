package io.sandglass.api;

import static io.sandglass.api.NodeStandIn.exit;
import static io.sandglass.api.NodeStandIn.frame;
import static io.sandglass.api.NodeStandIn.frames;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.sandglass.api.NodeStandIn.Script;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Executions against a node whose every answer the test writes itself. */
final class ExecuteTest {
  private static InProcessLog log;
  private static RunningApi api;
  private static NodeStandIn node;
  private static volatile Script script;
  private static List<JsonNode> asked;
  private static List<Map<String, List<String>>> headers;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    node = NodeStandIn.start(exchange -> script.answer(exchange));
    asked = node.asked();
    headers = node.headers();
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
    node.stop();
  }

  @BeforeEach
  void fresh() {
    asked.clear();
    headers.clear();
    log.mood(InProcessLog.Mood.WORKING);
    log.beforeDurable(() -> {});
    log.engine().startSandboxes(true);
    log.dataPlane(node.url());
    script = frames(frame('X', exit(0)));
  }

  private static String sandbox(String more) {
    return api.post("/v1/sandboxes", "{\"template\":\"base\"" + more + "}").text("id");
  }

  private static Answer execute(String id, String body, String... more) {
    return api.post("/v1/sandboxes/" + id + "/execute", body, more);
  }

  @Test
  void outputAndExitCodeAreTold() {
    script =
        frames(
            frame('O', "4"),
            frame('E', "oops"),
            frame('O', ""),
            frame('O', new byte[] {'2', (byte) 0xff}),
            frame('X', exit(3)));
    String id = sandbox(",\"env\":{\"A\":\"own\",\"B\":\"kept\"}");

    Answer answer =
        execute(
            id,
            "{\"command\":\"run\",\"timeout\":\"1m\",\"workdir\":\"/tmp\",\"env\":{\"A\":\"new\"}}",
            "X-Request-Id",
            "exec-1");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.text("stdout")).isEqualTo("42\ufffd");
    assertThat(answer.text("stderr")).isEqualTo("oops");
    assertThat(answer.body().path("exit_code").intValue()).isEqualTo(3);
    assertThat(answer.body().path("duration_ms").intValue()).isEqualTo(12);
    assertThat(answer.body().path("timed_out").isBoolean()).isTrue();
    JsonNode sent = asked.getFirst();
    assertThat(sent.path("command").asText()).isEqualTo("run");
    assertThat(sent.path("timeout_ms").longValue()).isEqualTo(60_000);
    assertThat(sent.path("workdir").asText()).isEqualTo("/tmp");
    assertThat(sent.path("incarnation").intValue()).isEqualTo(1);
    assertThat(sent.path("env").toString()).contains("\"A\":\"new\"", "\"B\":\"kept\"");
    assertThat(headers.getFirst().get("Authorization"))
        .containsExactly("Bearer " + RunningApi.DATA_PLANE_KEY);
    assertThat(headers.getFirst().get("X-request-id")).containsExactly("exec-1");
    assertThat(api.get("/v1/sandboxes/" + id + "/events").response().body())
        .contains("ExecutionStarted", sent.path("execution_id").asText());
  }

  @Test
  void standardInputIsPassedOn() {
    String id = sandbox("");
    String input = "ü".repeat(1 << 19);
    assertThat(execute(id, "{\"command\":\"cat\",\"stdin\":\"" + input + "\"}").status())
        .isEqualTo(200);
    assertThat(asked.getFirst().path("stdin").asText()).isEqualTo(input);
    Answer tooLong = execute(id, "{\"command\":\"cat\",\"stdin\":\"x" + input + "\"}");
    assertThat(tooLong.status()).isEqualTo(400);
    assertThat(tooLong.body().path("errors").path(0).path("pointer").asText()).isEqualTo("/stdin");
    assertThat(asked).hasSize(1);
  }

  private static HttpRequest.Builder asking(String id, String body, String... headers) {
    HttpRequest.Builder request =
        api.authorized("/v1/sandboxes/" + id + "/execute")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return request;
  }

  private static String events(String id, String body, String... headers) {
    Answer answer = api.send(asking(id, body, headers).header("Accept", "text/event-stream"));
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Type")).isEqualTo("text/event-stream");
    return answer.response().body();
  }

  private static final String EXIT_EVENT =
      """
      event: exit
      data: {"exit_code":3,"duration_ms":12,"timed_out":false,"truncated":false}

      """;

  @Test
  void whatHappensIsToldAsEventsAndCharactersAreNotTorn() {
    byte[] euro = "€".getBytes(StandardCharsets.UTF_8);
    script =
        frames(
            frame('S', ""),
            frame('O', ""),
            frame('O', "a"),
            frame('O', new byte[] {euro[0]}),
            frame('E', "oops"),
            frame('O', new byte[] {euro[1], euro[2], euro[0]}),
            frame('X', exit(3)));

    String told = events(sandbox(""), "{\"command\":\"x\"}");

    assertThat(told)
        .matches("(?s)event: start\ndata: \\{\"execution_id\":\"exe_[0-9a-z]+\"}\n\n.*")
        .endsWith(
            """
            event: stdout
            data: {"text":"a","offset":0,"next_offset":1}

            event: stderr
            data: {"text":"oops","offset":0,"next_offset":4}

            event: stdout
            data: {"text":"€","offset":1,"next_offset":4}

            event: stdout
            data: {"text":"\ufffd","offset":4,"next_offset":5}

            """
                + EXIT_EVENT);
  }

  /** A request as bytes, for a client that does what no library does. */
  private static byte[] raw(String id, String accept) {
    String body = "{\"command\":\"x\"}";
    return """
        POST /v1/sandboxes/%s/execute HTTP/1.1
        Host: x
        Authorization: Bearer %s
        Content-Type: application/json
        Accept: %s
        Content-Length: %d

        %s"""
        .formatted(id, api.key(), accept, body.length(), body)
        .replace("\n", "\r\n")
        .getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void eventsComeAsTheyHappenAndHangingUpIsNoticedAtTheNode() throws Exception {
    for (boolean events : List.of(true, false)) {
      CountDownLatch killed = new CountDownLatch(1);
      CountDownLatch began = new CountDownLatch(1);
      script =
          exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try {
              while (true) {
                exchange.getResponseBody().write(frame('O', "tick\n"));
                exchange.getResponseBody().flush();
                began.countDown();
                LockSupport.parkNanos(20_000_000);
              }
            } catch (IOException e) {
              killed.countDown();
            }
          };
      byte[] request = raw(sandbox(""), events ? "text/event-stream" : "application/json");
      try (Socket client = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
        client.getOutputStream().write(request);
        assertThat(began.await(10, TimeUnit.SECONDS)).isTrue();
        if (events) {
          BufferedReader in =
              new BufferedReader(
                  new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
          assertThat(in.lines().anyMatch("event: stdout"::equals)).isTrue();
        }
      }
      assertThat(killed.await(10, TimeUnit.SECONDS)).as("events: %s", events).isTrue();
    }
  }

  @Test
  void theNextRequestMayBeSentBeforeTheAnswer() throws Exception {
    String id = sandbox("");
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    script =
        exchange -> {
          running.countDown();
          awaitQuietly(go);
          frames(frame('O', "done"), frame('X', exit(0))).answer(exchange);
        };
    try (Socket client = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
      byte[] request = raw(id, "application/json");
      client.getOutputStream().write(request);
      assertThat(running.await(10, TimeUnit.SECONDS)).isTrue();
      client.getOutputStream().write(request);
      client
          .getOutputStream()
          .write(
              "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      LockSupport.parkNanos(50_000_000); // lets the server read ahead; either way it must answer
      go.countDown();
      String answers = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answers.split("HTTP/1.1 200", -1)).hasSize(4);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatKeepsACommandFromStartingIsNoStream() {
    script = frames(frame('F', "{\"code\":\"workdir_unavailable\",\"detail\":\"none\"}"));
    Answer answer =
        api.send(asking(sandbox(""), "{\"command\":\"x\"}", "Accept", "text/event-stream"));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
  }

  @Test
  void aStreamThatBreaksEndsWithAnErrorAndNoExit() {
    script = frames(frame('S', ""), frame('O', "half"));
    assertThat(events(sandbox(""), "{\"command\":\"x\"}"))
        .contains("event: stdout", "event: error\ndata: {\"code\":\"execution_outcome_unknown\"")
        .doesNotContain("event: exit");
  }

  @Test
  void theSameKeyRunsOnceHoweverItIsAskedFor() {
    script = frames(frame('S', ""), frame('O', "once"), frame('X', exit(3)));
    String id = sandbox("");
    String first = events(id, "{\"command\":\"x\"}", "Idempotency-Key", "live-1");
    script = frames(frame('X', exit(0)));

    String again = events(id, "{\"command\":\"x\"}", "Idempotency-Key", "live-1");
    Answer whole = execute(id, "{\"command\":\"x\"}", "Idempotency-Key", "live-1");

    assertThat(first).endsWith(EXIT_EVENT);
    assertThat(again).contains("\"text\":\"once\"").endsWith(EXIT_EVENT);
    assertThat(whole.text("stdout")).isEqualTo("once");
    assertThat(asked).hasSize(1);
  }

  @Test
  void outputPastTheLimitIsDropped() {
    byte[] chunk = frame('O', new byte[1 << 20]);
    byte[][] all = new byte[13][];
    Arrays.fill(all, chunk);
    all[12] = frame('X', exit(0));
    script = frames(all);

    Answer answer = execute(sandbox(""), "{\"command\":\"flood\"}");

    assertThat(answer.text("stdout")).hasSize(10 << 20);
    assertThat(answer.body().path("truncated").booleanValue()).isTrue();
  }

  @Test
  void aStreamWithoutAnEndIsNeverAnExitCode() {
    String id = sandbox("");
    for (Script broken :
        List.of(
            frames(frame('O', "half")),
            frames(),
            frames(new byte[] {'O', 0, 0}),
            frames(new byte[] {'O', 0, 0, 0, 9, 'x'}),
            frames(frame('Q', "what")),
            frames(frame('X', "{}")),
            frames(frame('X', "no json")),
            frames(new byte[] {'X', -1, -1, -1, -1}),
            frames(frame('F', "{\"code\":\"broken\",\"detail\":\"the guest is gone\"}")),
            exchange -> exchange.sendResponseHeaders(500, -1),
            exchange -> {
              exchange.sendResponseHeaders(200, 1_000);
              exchange.getResponseBody().write(frame('O', "x"));
            })) {
      script = broken;
      Answer answer = execute(id, "{\"command\":\"x\"}");
      assertThat(answer.status()).as("%s", answer.body()).isEqualTo(502);
      assertThat(answer.text("code")).isEqualTo("execution_outcome_unknown");
    }
  }

  @Test
  void whatNeverBeganIsToldAsSuch() {
    String id = sandbox("");
    refusal(id, 404, "unknown_sandbox", 409, "not_running");
    refusal(id, 409, "not_running", 409, "not_running");
    refusal(id, 503, "guest_unreachable", 503, "node_unavailable");
    refusal(id, 429, "too_many_executions", 429, "too_many_requests");
    refusal(id, 409, "execution_already_started", 502, "execution_outcome_unknown");
    script =
        frames(frame('F', "{\"code\":\"workdir_unavailable\",\"detail\":\"no such directory\"}"));
    assertThat(execute(id, "{\"command\":\"x\"}").status()).isEqualTo(400);
    log.dataPlane(URI.create("http://127.0.0.1:1"));
    assertThat(execute(id, "{\"command\":\"x\"}").text("code")).isEqualTo("node_unavailable");
  }

  private static void refusal(String id, int from, String code, int status, String as) {
    script = NodeStandIn.problem(from, code);
    Answer answer = execute(id, "{\"command\":\"x\"}");
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.text("code")).isEqualTo(as);
  }

  private static Script cutByADestroy(String id) {
    return exchange -> {
      assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);
      frames(frame('S', ""), frame('F', "{\"code\":\"broken\",\"detail\":\"it is gone\"}"))
          .answer(exchange);
    };
  }

  @Test
  void anExecutionThatADestroyCutsIsAConflict() {
    String id = sandbox("");
    script = cutByADestroy(id);
    Answer answer = execute(id, "{\"command\":\"x\"}");
    assertThat(answer.status()).isEqualTo(409);
    assertThat(answer.text("code")).isEqualTo("sandbox_ended");
  }

  @Test
  void anEventStreamThatADestroyCutsSaysSo() {
    String id = sandbox("");
    script = cutByADestroy(id);
    assertThat(events(id, "{\"command\":\"x\"}"))
        .contains("event: error\ndata: {\"code\":\"sandbox_ended\"")
        .doesNotContain("event: exit");
  }

  @Test
  void onlyRunningSandboxesExecute() {
    log.engine().startSandboxes(false);
    String creating = sandbox("");
    assertThat(execute(creating, "{\"command\":\"x\"}").text("code")).isEqualTo("not_running");
    assertThat(api.delete("/v1/sandboxes/" + creating).status()).isEqualTo(204);
    assertThat(execute(creating, "{\"command\":\"x\"}").text("code")).isEqualTo("not_running");
    assertThat(asked).isEmpty();
    assertThat(log.received().stream().filter(Command.BeginExecution.class::isInstance))
        .noneMatch(command -> command.header().sandboxId().equals(creating));
  }

  @Test
  void nothingRunsThatTheLogDoesNotHold() {
    String id = sandbox("");
    int cutBefore = node.cut();
    for (InProcessLog.Mood mood : List.of(InProcessLog.Mood.DOWN, InProcessLog.Mood.SILENT)) {
      log.mood(mood);
      Answer answer = execute(id, "{\"command\":\"x\"}");
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.text("code")).isEqualTo("log_unavailable");
    }
    // With the silent log, the node had all of the request but its last byte.
    await().atMost(Duration.ofSeconds(30)).until(() -> node.cut() == cutBefore + 1);
    assertThat(asked).isEmpty();
  }

  @Test
  void aNodeThatHangsUpBeforeItHasAllOfTheRequestHasBegunNothing() throws Exception {
    String id = sandbox("");
    try (ServerSocket hasty = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      log.dataPlane(URI.create("http://127.0.0.1:" + hasty.getLocalPort()));
      log.beforeDurable(() -> hangUp(hasty));

      Answer answer = execute(id, "{\"command\":\"x\"}");

      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.text("code")).isEqualTo("node_unavailable");
    }
    assertThat(log.received())
        .filteredOn(command -> command.header().sandboxId().equals(id))
        .last()
        .isInstanceOf(Command.NeverBegan.class);
  }

  private static void hangUp(ServerSocket server) {
    log.beforeDurable(() -> {});
    try (Socket call = server.accept()) {
      assertThat(call.getInputStream().read()).isEqualTo('P');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theSameKeyRunsOnce() {
    script = frames(frame('O', "once"), frame('X', exit(7)));
    String id = sandbox("");
    Answer first = execute(id, "{\"command\":\"x\"}", "Idempotency-Key", "run-1");
    script = frames(frame('O', "twice"), frame('X', exit(0)));

    Answer again = execute(id, "{\"command\":\"x\"}", "Idempotency-Key", "run-1");
    Answer other = execute(id, "{\"command\":\"y\"}", "Idempotency-Key", "run-1");

    assertThat(again.response().body()).isEqualTo(first.response().body());
    assertThat(other.status()).isEqualTo(422);
    assertThat(asked).hasSize(1);
  }

  @Test
  void anExecutionInDoubtIsNotRunAgain() {
    script = frames(frame('O', "half"));
    String id = sandbox("");
    assertThat(execute(id, "{\"command\":\"x\"}", "Idempotency-Key", "run-2").status())
        .isEqualTo(502);
    script = frames(frame('X', exit(0)));

    Answer again = execute(id, "{\"command\":\"x\"}", "Idempotency-Key", "run-2");

    assertThat(again.status()).isEqualTo(409);
    assertThat(again.text("code")).isEqualTo("execution_in_doubt");
    assertThat(asked).hasSize(1);
  }

  @Test
  void whatNeverBeganMayBeTriedAgainWithTheSameKey() {
    String id = sandbox("");
    log.mood(InProcessLog.Mood.DOWN);
    assertThat(execute(id, "{\"command\":\"x\"}", "Idempotency-Key", "run-3").status())
        .isEqualTo(503);
    log.mood(InProcessLog.Mood.WORKING);

    assertThat(execute(id, "{\"command\":\"x\"}", "Idempotency-Key", "run-3").status())
        .isEqualTo(200);
  }
}
