package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Executions against a node whose every answer the test writes itself. */
final class ExecuteTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What the node answers. */
  interface Script {
    void answer(HttpExchange exchange) throws IOException;
  }

  private static InProcessLog log;
  private static RunningApi api;
  private static HttpServer node;
  private static volatile Script script;
  private static final List<JsonNode> asked = new CopyOnWriteArrayList<>();
  private static final List<Map<String, List<String>>> headers = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    node.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    node.createContext(
        "/",
        exchange -> {
          asked.add(JSON.readTree(exchange.getRequestBody().readAllBytes()));
          headers.add(Map.copyOf(exchange.getRequestHeaders()));
          try (exchange) {
            script.answer(exchange);
          }
        });
    node.start();
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
    node.stop(0);
  }

  @BeforeEach
  void fresh() {
    asked.clear();
    headers.clear();
    log.mood(InProcessLog.Mood.WORKING);
    log.engine().startSandboxes(true);
    log.dataPlane(URI.create("http://127.0.0.1:" + node.getAddress().getPort()));
    script = frames(frame('X', exit(0)));
  }

  private static String sandbox(String more) {
    return api.post("/v1/sandboxes", "{\"template\":\"base\"" + more + "}").text("id");
  }

  private static Answer execute(String id, String body, String... more) {
    return api.post("/v1/sandboxes/" + id + "/execute", body, more);
  }

  private static Script frames(byte[]... frames) {
    return exchange -> {
      exchange.getResponseHeaders().set("Content-Type", "application/vnd.sandglass.frames");
      exchange.sendResponseHeaders(200, 0);
      for (byte[] frame : frames) {
        exchange.getResponseBody().write(frame);
      }
    };
  }

  private static byte[] frame(char type, byte[] payload) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(type);
      out.writeInt(payload.length);
      out.write(payload);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] frame(char type, String payload) {
    return frame(type, payload.getBytes(StandardCharsets.UTF_8));
  }

  private static String exit(int code) {
    return "{\"exit_code\":"
        + code
        + ",\"duration_ms\":12,\"timed_out\":false,\"truncated\":false,"
        + "\"stdout_bytes\":0,\"stderr_bytes\":0}";
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

  @Test
  void outputPastTheLimitIsDropped() {
    byte[] chunk = frame('O', new byte[1 << 20]);
    byte[][] all = new byte[13][];
    java.util.Arrays.fill(all, chunk);
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
    script =
        exchange -> {
          byte[] body =
              ("{\"code\":\"" + code + "\",\"detail\":\"so\"}").getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(from, body.length);
          exchange.getResponseBody().write(body);
        };
    Answer answer = execute(id, "{\"command\":\"x\"}");
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.text("code")).isEqualTo(as);
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
    for (InProcessLog.Mood mood : List.of(InProcessLog.Mood.DOWN, InProcessLog.Mood.SILENT)) {
      log.mood(mood);
      Answer answer = execute(id, "{\"command\":\"x\"}");
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.text("code")).isEqualTo("log_unavailable");
    }
    assertThat(asked).isEmpty();
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
