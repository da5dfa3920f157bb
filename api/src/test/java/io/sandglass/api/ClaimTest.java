package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Pool;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Containers that are set aside for sandboxes before they are created. */
class ClaimTest {
  private static final String IMAGE = "sandglass/base:0.1.0";

  private static InProcessLog log;
  private static RunningApi api;
  private static NodeStandIn node;
  private static volatile NodeStandIn.Script script;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    node = NodeStandIn.start(exchange -> script.answer(exchange));
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
    node.stop();
  }

  @BeforeEach
  void fresh() {
    node.asked().clear();
    node.headers().clear();
    node.lines().clear();
    log.engine().startSandboxes(false);
    log.dataPlane(node.url());
    log.pools(ready(1));
    script = NodeStandIn.empty(204);
  }

  private static Pool ready(int count) {
    return new Pool(EngineStandIn.NODE, IMAGE, 1, count, 0, 0, 0);
  }

  private static Answer create(String more, String... headers) {
    return api.post("/v1/sandboxes", "{\"template\":\"base\"" + more + "}", headers);
  }

  @Test
  void aSandboxThatOneIsSetAsideForRunsWithItsDecision() {
    Answer answer =
        create(
            ",\"size\":\"shared-cpu-2x\",\"egress\":{\"mode\":\"deny_all\","
                + "\"allow_cidrs\":[\"198.51.100.0/24\"],\"allow_ports\":[443]},"
                + "\"env\":{\"SECRET\":\"x\"}",
            "X-Request-Id",
            "claim-1");

    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.text("status")).isEqualTo("running");
    assertThat(node.lines()).containsExactly("POST /sandboxes/" + answer.text("id") + "/claim");
    assertThat(node.headers().getFirst().get("Authorization"))
        .containsExactly("Bearer " + RunningApi.DATA_PLANE_KEY);
    assertThat(node.headers().getFirst().get("X-request-id")).containsExactly("claim-1");
    JsonNode wanted = node.asked().getFirst();
    assertThat(wanted.path("org_id").asText()).startsWith("org_");
    assertThat(wanted.path("image").asText()).isEqualTo(IMAGE);
    assertThat(wanted.path("cpu_millis").asInt()).isEqualTo(1000);
    assertThat(wanted.path("memory_bytes").asLong()).isEqualTo(512L << 20);
    assertThat(wanted.path("egress").toString())
        .isEqualTo(
            "{\"mode\":\"deny_all\",\"allow_cidrs\":[\"198.51.100.0/24\"],"
                + "\"deny_cidrs\":[],\"allow_ports\":[443]}");
    assertThat(wanted.toString()).doesNotContain("SECRET");
  }

  @Test
  void whereNoneIsReadyItIsStartedAsEver() {
    script = NodeStandIn.problem(409, "none_ready");
    assertThat(create("").text("status")).isEqualTo("creating");
    assertThat(node.lines()).hasSize(1);

    log.pools(ready(0));
    assertThat(create("").text("status")).isEqualTo("creating");
    log.pools(new Pool(EngineStandIn.NODE, "sandglass/python:0.1.0", 1, 1, 0, 0, 0));
    assertThat(create("").text("status")).isEqualTo("creating");
    assertThat(node.lines()).hasSize(1);
  }

  @Test
  void aNodeThatDoesNotAnswerKeepsNobodyFromCreating() {
    log.dataPlane(URI.create("http://127.0.0.1:1"));
    Answer answer = create("");
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.text("status")).isEqualTo("creating");
  }

  @Test
  void oneIsSetAsideOnceForTheSameRequest() {
    Answer first = create("", "Idempotency-Key", "claims");
    Answer again = create("", "Idempotency-Key", "claims");
    assertThat(again.text("id")).isEqualTo(first.text("id"));
    assertThat(node.lines()).hasSize(1);
  }
}
