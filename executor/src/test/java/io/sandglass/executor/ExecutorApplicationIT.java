package io.sandglass.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.dropwizard.testing.DropwizardTestSupport;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.TestDocker;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.Egress;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.NodeHeartbeat;
import io.sandglass.schemas.NodeStatus;
import io.sandglass.schemas.Patience;
import io.sandglass.schemas.RemoveContainer;
import io.sandglass.schemas.ReportExecutionFinished;
import io.sandglass.schemas.ReportGone;
import io.sandglass.schemas.ReportObserved;
import io.sandglass.schemas.ReportStarted;
import io.sandglass.schemas.SandboxRequested;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.StartSpec;
import io.sandglass.schemas.StopRequested;
import io.sandglass.schemas.TemplateRef;
import io.sandglass.schemas.Topic;
import io.sandglass.schemas.Topics;
import io.sandglass.schemas.WireFormat;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.testcontainers.kafka.KafkaContainer;

/** The whole application on a real broker and a real Docker; the test is the engine and the API. */
final class ExecutorApplicationIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String NODE = "it-app";
  private static final String KEY = "a key for tests";
  private static final int SLOT = 3;

  private static KafkaContainer kafka;
  private static KafkaProducer<String, SpecificRecord> engine;

  private final HttpClient http = HttpClient.newHttpClient();
  private Path data;
  private DockerRuntime docker;
  private DropwizardTestSupport<ExecutorConfiguration> application;
  private Life life;
  private long version;

  @BeforeAll
  static void startBroker() throws Exception {
    kafka = new KafkaContainer("apache/kafka:4.3.1");
    kafka.start();
    Map<String, Object> config = Map.of("bootstrap.servers", kafka.getBootstrapServers());
    try (Admin admin = Admin.create(config)) {
      Topics.ensure(admin, 2, 8, (short) 1);
    }
    engine = new KafkaProducer<>(config, new StringSerializer(), WireFormat.serializer());
  }

  @AfterAll
  static void stopBroker() {
    engine.close();
    kafka.stop();
    TestDocker.removeNode(NODE);
  }

  @BeforeEach
  void begin() throws Exception {
    docker = TestDocker.runtime(NODE);
    docker.list().forEach(left -> docker.remove(left.life()));
    data = Files.createTempDirectory("sgx");
    life = new Life("sbx_" + UUID.randomUUID().toString().replace("-", "").substring(0, 26), 1);
    boot("");
  }

  /**
   * @param warm as {@code SANDGLASS_WARM}
   */
  private void boot(String warm) throws Exception {
    Map<String, String> variables =
        Map.of(
            "SANDGLASS_KAFKA",
            kafka.getBootstrapServers(),
            "SANDGLASS_NODE_ID",
            NODE,
            "SANDGLASS_DATA_PLANE_KEY",
            KEY,
            "SANDGLASS_DATA_DIR",
            data.toString(),
            "SANDGLASS_NETWORK",
            TestDocker.bridge(NODE),
            "SANDGLASS_WARM",
            warm,
            "PORT",
            "0",
            "ADMIN_PORT",
            "0");
    application =
        new DropwizardTestSupport<ExecutorConfiguration>(
            ExecutorApplication.class, "executor.yml") {
          @Override
          public ExecutorApplication newApplication() {
            return new ExecutorApplication(variables);
          }
        };
    application.before();
  }

  @AfterEach
  void end() throws Exception {
    application.after();
    docker.list().forEach(left -> docker.remove(left.life()));
    docker.close();
  }

  private static List<SpecificRecord> read(Topic topic) {
    Map<String, Object> config =
        new HashMap<>(Map.of("bootstrap.servers", kafka.getBootstrapServers()));
    List<SpecificRecord> records = new ArrayList<>();
    try (KafkaConsumer<String, Decoded> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), WireFormat.deserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic.topicName()).stream()
              .map(p -> new TopicPartition(p.topic(), p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        consumer
            .poll(Duration.ofMillis(200))
            .forEach(
                record -> {
                  if (record.value() instanceof Decoded.Known(SpecificRecord known)) {
                    records.add(known);
                  }
                });
      }
    }
    return records;
  }

  private <T> List<T> reports(Class<T> type) {
    return read(Topic.COMMANDS).stream()
        .filter(type::isInstance)
        .filter(report -> report.toString().contains(life.sandboxId()))
        .map(type::cast)
        .toList();
  }

  private <T> void awaitReports(Class<T> type, int count) {
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(reports(type)).hasSize(count));
  }

  /** Waits for the node's heartbeat and gives it its slot, as the engine does. */
  private void welcome(long epoch) {
    NodeHeartbeat[] heard = new NodeHeartbeat[1];
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              for (SpecificRecord record : read(Topic.HEARTBEATS)) {
                heard[0] = (NodeHeartbeat) record;
              }
              return heard[0] != null && heard[0].getImages().contains(TestDocker.IMAGE);
            });
    assertThat(heard[0].getCapacitySandboxes()).isPositive();
    send(Topic.NODES, 0, NODE, new NodeStatus(NODE, SLOT, "ready", epoch, heard[0]));
  }

  private void order(SpecificRecord order) {
    send(Topic.ORDERS, SLOT, life.sandboxId(), order);
  }

  private static void send(Topic topic, int partition, String key, SpecificRecord record) {
    try {
      engine.send(new ProducerRecord<>(topic.topicName(), partition, key, record)).get();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private EventMeta meta() {
    long next = ++version;
    return EventMeta.newBuilder()
        .setEventId(life.sandboxId() + "-" + next)
        .setSandboxId(life.sandboxId())
        .setOrgId("org_it")
        .setVersion(next)
        .setAt(Instant.now())
        .setCause("command")
        .setActor("key:test")
        .setRequestId("req-1")
        .setStatusAfter("creating")
        .setIncarnation(life.incarnation())
        .setNodeId(NODE)
        .build();
  }

  private SandboxRequested requested() {
    return SandboxRequested.newBuilder()
        .setMeta(meta())
        .setSpec(
            new StartSpec(
                new TemplateRef("python", "python", TestDocker.IMAGE),
                "ephemeral",
                new Size("shared-cpu-1x", 1000, 256L << 20),
                new Egress("allow_all", List.of(), List.of(), List.of())))
        .setTimeoutMs(60_000L)
        .setEnvNames(List.of())
        .setMetadata(Map.of())
        .setPatience(new Patience(60_000L, 10_000L, 10_000L, 10_000L, 60_000L, 86_400_000L, 3))
        .build();
  }

  private HttpRequest.Builder post(String sandbox, String body) {
    return post(sandbox, "/executions", body);
  }

  private HttpRequest.Builder claim(String sandbox, String image, String mode) {
    return post(
        sandbox,
        "/claim",
        """
        {"org_id":"org_it","image":"%s","cpu_millis":1000,"memory_bytes":268435456,
         "egress":{"mode":"%s","allow_cidrs":[],"deny_cidrs":[],"allow_ports":[]}}
        """
            .formatted(image, mode));
  }

  private HttpRequest.Builder post(String sandbox, String what, String body) {
    return HttpRequest.newBuilder(
            URI.create(
                "http://localhost:" + application.getLocalPort() + "/sandboxes/" + sandbox + what))
        .header("Authorization", "Bearer " + KEY)
        .header("Content-Type", "application/json")
        .header("X-Request-Id", "req-2")
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  private static String body(String execution, int incarnation, String command) {
    return """
    {"execution_id":"%s","incarnation":%d,"command":"%s","timeout_ms":30000,"env":{"WHO":"world"}}
    """
        .formatted(execution, incarnation, command);
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<InputStream> stream(String body) throws Exception {
    return http.send(
        post(life.sandboxId(), body).build(), HttpResponse.BodyHandlers.ofInputStream());
  }

  /** The payloads of the frames by type, empty frames left out. */
  private static Map<Character, String> frames(InputStream body) throws IOException {
    Map<Character, String> frames = new HashMap<>();
    DataInputStream in = new DataInputStream(body);
    for (int type = in.read(); type >= 0; type = in.read()) {
      byte[] payload = in.readNBytes(in.readInt());
      frames.merge((char) type, new String(payload, StandardCharsets.UTF_8), String::concat);
    }
    return frames;
  }

  private void started() {
    welcome(1);
    order(requested());
    awaitReports(ReportStarted.class, 1);
  }

  @Test
  void startsExecutesAndStops() throws Exception {
    started();
    ReportStarted report = reports(ReportStarted.class).getFirst();
    assertThat(report.getOrigin().getNodeId()).isEqualTo(NODE);
    assertThat(report.getOrigin().getOrderVersion()).isEqualTo(1);
    assertThat(report.getMeta().getRequestId()).isEqualTo("req-1");

    HttpResponse<InputStream> answer =
        stream(body("exe_1", 1, "echo hello $WHO; echo oh >&2; exit 3"));
    assertThat(answer.statusCode()).isEqualTo(200);
    Map<Character, String> frames = frames(answer.body());
    assertThat(frames.get('O')).isEqualTo("hello world\n");
    assertThat(frames.get('E')).isEqualTo("oh\n");
    assertThat(frames.get('X'))
        .contains("\"exit_code\":3", "\"timed_out\":false", "\"truncated\":false")
        .contains("\"stdout_bytes\":12", "\"stderr_bytes\":3", "\"duration_ms\":");
    awaitReports(ReportExecutionFinished.class, 1);
    assertThat(reports(ReportExecutionFinished.class).getFirst().getExitCode()).isEqualTo(3);

    HttpResponse<String> again = send(post(life.sandboxId(), body("exe_1", 1, "true")));
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(again.body()).contains("\"code\":\"execution_already_started\"");

    order(
        StopRequested.newBuilder()
            .setMeta(meta())
            .setReason("requested")
            .setDetail("")
            .setAttempt(1)
            .build());
    awaitReports(ReportGone.class, 1);
    assertThat(docker.list(life.sandboxId())).isEmpty();
    assertThat(send(post(life.sandboxId(), body("exe_2", 1, "true"))).statusCode()).isEqualTo(404);
  }

  @Test
  void setsAContainerAsideThatRunsBeforeTheLogAsksForIt() throws Exception {
    application.after();
    boot("\"" + TestDocker.IMAGE + "\": 1");
    welcome(1);
    String sandbox = life.sandboxId();
    assertThat(send(claim("../" + sandbox, TestDocker.IMAGE, "allow_all")).statusCode())
        .isIn(400, 404);
    assertThat(send(claim(sandbox, TestDocker.IMAGE, "allow_some")).body())
        .contains("\"code\":\"invalid_request\"", "unknown egress mode allow_some");
    assertThat(send(post(sandbox, "/claim", "{}")).statusCode()).isEqualTo(400);
    assertThat(send(claim(sandbox, "nobody/has:this", "allow_all")).body())
        .contains("\"code\":\"none_ready\"");
    await()
        .atMost(PATIENCE)
        .until(
            () -> send(claim(sandbox, TestDocker.IMAGE, "allow_all")).statusCode(),
            status -> status == 204);

    // It may still be on its way; the call waits.
    assertThat(frames(stream(body("exe_1", 1, "echo mine")).body()).get('O')).isEqualTo("mine\n");
    assertThat(reports(ReportStarted.class)).isEmpty();
    order(requested());
    awaitReports(ReportStarted.class, 1);
    assertThat(reports(ReportStarted.class).getFirst().getWarm()).isTrue();
    assertThat(docker.list(sandbox)).hasSize(1);
  }

  /** The API keeps the last byte back until the log holds that the command is about to begin. */
  @Test
  void withoutTheLastByteOfTheRequestNothingBegins() throws Exception {
    started();
    String body = body("exe_1", 1, "echo begun").strip();
    try (Socket socket = new Socket("localhost", application.getLocalPort())) {
      String whole =
          """
          POST /sandboxes/%s/executions HTTP/1.1\r
          Host: node\r
          Authorization: Bearer %s\r
          Content-Type: application/json\r
          Content-Length: %d\r
          \r
          %s"""
              .formatted(life.sandboxId(), KEY, body.length(), body);
      OutputStream out = socket.getOutputStream();
      out.write(whole.substring(0, whole.length() - 1).getBytes(StandardCharsets.US_ASCII));
      socket.shutdownOutput();
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .doesNotContain(" 200 ");
    }

    HttpResponse<InputStream> answer = stream(body);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(frames(answer.body()).get('O')).isEqualTo("begun\n");
  }

  @Test
  void refusesWhatIsNotAsAgreed() throws Exception {
    started();
    String sandbox = life.sandboxId();

    assertThat(send(post(sandbox, body("exe_1", 1, "true")).setHeader("Authorization", "Bearer x")))
        .satisfies(
            answer -> {
              assertThat(answer.statusCode()).isEqualTo(401);
              assertThat(answer.headers().firstValue("Content-Type"))
                  .contains("application/problem+json");
              assertThat(answer.body()).contains("\"code\":\"unauthorized\"", "req-2");
            });
    assertThat(send(post("sbx_none", body("exe_1", 1, "true"))).body()).contains("unknown_sandbox");
    assertThat(send(post(sandbox, body("exe_1", 2, "true"))).body()).contains("not_running");
    assertThat(send(post(sandbox, body("../exe", 1, "true"))).statusCode()).isEqualTo(400);
    assertThat(send(post(sandbox, "{")).body()).contains("\"code\":\"invalid_request\"");
    assertThat(
            http.send(
                    HttpRequest.newBuilder(
                            URI.create(
                                "http://localhost:" + application.getLocalPort() + "/readyz"))
                        .build(),
                    HttpResponse.BodyHandlers.ofString())
                .statusCode())
        .isEqualTo(200);
    assertThat(reports(ReportExecutionFinished.class)).isEmpty();
  }

  @Test
  void killsTheCommandOfACallerThatHangsUp() throws Exception {
    started();

    HttpResponse<InputStream> answer = stream(body("exe_1", 1, "echo ready; sleep 4714"));
    // The frame that says that it runs, then that of its output.
    assertThat(answer.body().readNBytes(16)).endsWith("ready\n".getBytes(StandardCharsets.UTF_8));
    answer.body().close();

    awaitReports(ReportExecutionFinished.class, 1);
    ReportExecutionFinished end = reports(ReportExecutionFinished.class).getFirst();
    // That of the kill, where the guest could still tell it.
    assertThat(end.getExitCode()).isIn(null, 137);
    assertThat(end.getFailure()).isEqualTo("aborted: the caller went away");
  }

  @Test
  void goesOnAfterARestart() throws Exception {
    started();
    application.after();
    boot("");

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(reports(ReportObserved.class)).isNotEmpty());
    assertThat(frames(stream(body("exe_1", 1, "echo still here")).body()).get('O'))
        .isEqualTo("still here\n");
    assertThat(docker.list(life.sandboxId())).hasSize(1);

    order(new RemoveContainer(life.sandboxId(), 1, NODE, "the log does not know it"));
    await().atMost(PATIENCE).until(() -> docker.list(life.sandboxId()).isEmpty());
    assertThat(reports(ReportGone.class)).isEmpty();
  }
}
