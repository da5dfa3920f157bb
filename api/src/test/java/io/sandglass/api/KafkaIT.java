package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.kafka.ScriptedEngine;
import io.sandglass.schemas.Topics;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.kafka.KafkaContainer;

/**
 * Commands, outcomes and the projection through a real broker: the image {@code apache/kafka},
 * which {@code make images} builds. The engine's side is a transactional stand-in.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class KafkaIT {
  @TempDir private static Path data;
  private static KafkaContainer kafka;
  private static ScriptedEngine engine;
  private static RunningApi api;
  private static Map<String, String> settings;

  @BeforeAll
  static void start() throws Exception {
    kafka = new KafkaContainer("apache/kafka:4.3.1");
    kafka.start();
    try (Admin admin =
        Admin.create(
            Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.getBootstrapServers()))) {
      Topics.ensure(admin, 4, 4, (short) 1);
    }
    engine = ScriptedEngine.start(kafka.getBootstrapServers());
    settings = Map.of("SANDGLASS_KAFKA", kafka.getBootstrapServers());
    api = RunningApi.start(data, new KafkaConnector(), settings);
  }

  @AfterAll
  static void stop() throws Exception {
    if (api != null) {
      api.stop();
    }
    if (engine != null) {
      engine.stop();
    }
    kafka.stop();
  }

  @Test
  @Order(1)
  void itBecomesReady() {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(api.get("/readyz").status()).isEqualTo(200));
  }

  @Test
  @Order(2)
  void acceptedMeansVisible() {
    for (int i = 0; i < 20; i++) {
      Answer created =
          api.post(
              "/v1/sandboxes",
              "{\"template\":\"base\",\"env\":{\"A\":\"canary-in-kafka\"}}",
              "X-Request-Id",
              "kafka-" + i);
      assertThat(created.status()).as("%s", created.body()).isEqualTo(201);
      String path = "/v1/sandboxes/" + created.text("id");
      assertThat(api.get(path).status()).isEqualTo(200);
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(api.get(path).text("status")).isEqualTo("running"));
      assertThat(api.post(path + "/keepalive", "{\"timeout\":\"1h\"}").status()).isEqualTo(200);
      assertThat(api.get(path + "/events").response().body()).contains("kafka-" + i);
    }
    assertThat(engine.requestIds()).contains("kafka-0", "kafka-19");
  }

  @Test
  @Order(3)
  void rejectionsComeBack() {
    assertThat(api.delete("/v1/sandboxes/sbx_00000000000000000000000000").status()).isEqualTo(404);
    Answer persistent =
        api.post("/v1/sandboxes", "{\"template\":\"base\",\"mode\":\"persistent\"}");
    assertThat(api.post("/v1/sandboxes/" + persistent.text("id") + "/keepalive", "{}").text("code"))
        .isEqualTo("not_ephemeral");
  }

  @Test
  @Order(4)
  void aSilentEngineMakesItA202ThatIsToldLater() throws InterruptedException {
    engine.pause();
    Answer pending = api.post("/v1/sandboxes", "{\"template\":\"base\"}");
    assertThat(pending.status()).isEqualTo(202);
    assertThat(api.get(pending.header("Location")).text("status")).isEqualTo("pending");

    engine.resume();

    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertThat(api.get(pending.header("Location")).text("status"))
                    .isEqualTo("accepted"));
  }

  @Test
  @Order(5)
  void theProjectionIsRebuiltToTheSameContent() throws Exception {
    api.stop();
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    assertThat(tool("rebuild-projection", printed)).isEqualTo(-1);
    String[] lines = printed.toString(StandardCharsets.UTF_8).split("\n", -1);
    assertThat(lines[0]).startsWith("before ");
    assertThat(lines[1]).startsWith("after  " + lines[0].substring("before ".length()) + " (");
    assertThat(lines[1]).doesNotContain("(0 events)");
    assertThatAStaleRowIsFoundAndNamed();
    api = RunningApi.start(data, new KafkaConnector(), settings);
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(api.get("/readyz").status()).isEqualTo(200));
    assertThat(api.get("/v1/sandboxes").body().path("sandboxes").size()).isGreaterThan(20);
  }

  private static void assertThatAStaleRowIsFoundAndNamed() throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    assertThat(tool("verify-projection", printed)).as("%s", printed).isZero();
    assertThat(printed.toString(StandardCharsets.UTF_8)).isEmpty();
    String stale = sql("SELECT id FROM sandboxes WHERE status = 'running' ORDER BY id LIMIT 1");
    sql("UPDATE sandboxes SET status = 'suspended' WHERE id = '" + stale + "'");
    assertThat(tool("verify-projection", printed)).isEqualTo(1);
    assertThat(printed.toString(StandardCharsets.UTF_8).lines())
        .containsExactly(
            "projection sandboxes id=" + stale + ": status is suspended, but the log says running");
    sql("UPDATE sandboxes SET status = 'running' WHERE id = '" + stale + "'");
  }

  /** Runs a command of the api's jar; returns its exit code, or -1 when it left that to the JVM. */
  private static int tool(String command, ByteArrayOutputStream printed) throws Exception {
    Map<String, String> variables =
        new HashMap<>(
            Map.of(
                "SANDGLASS_DATA_DIR",
                data.toString(),
                "SANDGLASS_DATA_PLANE_KEY",
                RunningApi.DATA_PLANE_KEY,
                "SANDGLASS_LOG_LEVEL",
                "WARN"));
    variables.putAll(settings);
    AtomicInteger code = new AtomicInteger(-1);
    new ApiApplication(
            variables,
            new KafkaConnector(),
            new PrintStream(printed, true, StandardCharsets.UTF_8),
            code::set)
        .run(command);
    return code.get();
  }

  /** The first column of the first row, if there is one. */
  private static String sql(String statement) throws SQLException {
    try (Connection database =
            DriverManager.getConnection(
                "jdbc:h2:file:%s/api/sandglass;MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;DEFAULT_NULL_ORDERING=HIGH"
                    .formatted(data),
                "sandglass",
                "");
        Statement one = database.createStatement()) {
      if (!one.execute(statement)) {
        return "";
      }
      ResultSet rows = one.getResultSet();
      return rows.next() ? rows.getString(1) : "";
    }
  }

  @Test
  @Order(6)
  void kafkaDownIsToldWithinTenSeconds() throws InterruptedException {
    engine.stop();
    kafka.stop();
    long before = System.nanoTime();

    Answer answer = api.post("/v1/sandboxes", "{\"template\":\"base\"}");

    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(10));
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.text("code")).isEqualTo("log_unavailable");
    assertThat(answer.header("Retry-After")).isNotNull();
    assertThat(api.get("/v1/sandboxes").status()).isEqualTo(200);
  }
}
