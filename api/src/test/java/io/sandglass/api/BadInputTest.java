package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.http.ProblemType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not valid is told as a problem, and changes nothing. */
final class BadInputTest {
  private static final String ID = "sbx_00000000000000000000000000";

  private static InProcessLog log;
  private static RunningApi api;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
  }

  @AfterAll
  static void stop() throws Exception {
    assertThat(log.received()).as("No bad input reaches the log").isEmpty();
    api.stop();
  }

  static Stream<Arguments> creates() {
    return Stream.of(
        row("/template", "{}"),
        row("/template", "{\"template\":null}"),
        row("/template", "{\"template\":\"\"}"),
        row("/template", "{\"template\":7}"),
        row("/template", "{\"template\":[\"base\"]}"),
        row("/template", "{\"template\":\"a\\u0000b\"}"),
        row("/template", "{\"template\":\"a\\ud800b\"}"),
        row("/mode", base("\"mode\":\"forever\"")),
        row("/mode", base("\"mode\":\"EPHEMERAL\"")),
        row("/mode", base("\"mode\":true")),
        row("/size", base("\"size\":\"huge\"")),
        row("/timeout", base("\"timeout\":\"0s\"")),
        row("/timeout", base("\"timeout\":\"-5m\"")),
        row("/timeout", base("\"timeout\":\"25h\"")),
        row("/timeout", base("\"timeout\":\"24h1s\"")),
        row("/timeout", base("\"timeout\":\"5 m\"")),
        row("/timeout", base("\"timeout\":\" 5m\"")),
        row("/timeout", base("\"timeout\":\"９m\"")),
        row("/timeout", base("\"timeout\":\"300\"")),
        row("/timeout", base("\"timeout\":\"5M\"")),
        row("/timeout", base("\"timeout\":\"1m1h\"")),
        row("/timeout", base("\"timeout\":\"1.5h\"")),
        row("/timeout", base("\"timeout\":\"PT5M\"")),
        row("/timeout", base("\"timeout\":\"99999999999999999999s\"")),
        row("/timeout", base("\"timeout\":300")),
        row("/timeout", base("\"timeout\":\"\"")),
        row("/timeout", base("\"mode\":\"persistent\",\"timeout\":\"5m\"")),
        row("/idle_timeout", base("\"idle_timeout\":\"5m\"")),
        row("/idle_timeout", base("\"mode\":\"persistent\",\"idle_timeout\":\"0s\"")),
        row("/tiemout", base("\"tiemout\":\"5m\"")),
        row("/egress/allow_cidr", base("\"egress\":{\"mode\":\"deny_all\",\"allow_cidr\":[]}")),
        row("/egress/mode", base("\"egress\":{}")),
        row("/egress/mode", base("\"egress\":{\"mode\":\"allow\"}")),
        row(
            "/egress/allow_cidrs",
            base("\"egress\":{\"mode\":\"allow_all\",\"allow_cidrs\":[\"10.0.0.0/8\"]}")),
        row(
            "/egress/deny_cidrs",
            base("\"egress\":{\"mode\":\"allow_all\",\"deny_cidrs\":[\"10.0.0.0/8\"]}")),
        row(
            "/egress/allow_ports",
            base("\"egress\":{\"mode\":\"deny_all\",\"allow_ports\":[443]}")),
        row("/egress/allow_cidrs/0", network("10.0.0.1/8")),
        row("/egress/allow_cidrs/0", network("010.0.0.0/8")),
        row("/egress/allow_cidrs/0", network("10.0.0.0/08")),
        row("/egress/allow_cidrs/0", network("0x0a.0.0.0/8")),
        row("/egress/allow_cidrs/0", network("10.0.0.0")),
        row("/egress/allow_cidrs/0", network("10.0.0/24")),
        row("/egress/allow_cidrs/0", network("256.0.0.0/8")),
        row("/egress/allow_cidrs/0", network("10.0.0.0/33")),
        row("/egress/allow_cidrs/0", network("example.com")),
        row("/egress/allow_cidrs/0", network("::/0")),
        row("/egress/allow_cidrs/0", network("１0.0.0.0/8")),
        row(
            "/egress/allow_cidrs/0",
            base("\"egress\":{\"mode\":\"deny_all\",\"allow_cidrs\":[null]}")),
        row("/egress/allow_ports/0", port("0")),
        row("/egress/allow_ports/0", port("65536")),
        row("/egress/allow_ports/0", port("-1")),
        row("/egress/allow_ports/0", port("\"443\"")),
        row("/egress/allow_ports/0", port("443.5")),
        row("/egress/allow_ports/0", port("99999999999")),
        row(
            "/egress",
            base(
                "\"egress\":{\"mode\":\"deny_all\",\"deny_cidrs\":["
                    + many("\"10.0.0.0/8\"", 257)
                    + "]}")),
        row("/env/9A", base("\"env\":{\"9A\":\"x\"}")),
        row("/env/A=B", base("\"env\":{\"A=B\":\"x\"}")),
        row("/env/", base("\"env\":{\"\":\"x\"}")),
        row("/env/A", base("\"env\":{\"A\":null}")),
        row("/env/A", base("\"env\":{\"A\":1}")),
        row("/env/A", base("\"env\":{\"A\":\"x\\u0000\"}")),
        row("/env", base("\"env\":{\"A\":\"" + "x".repeat(65_536) + "\"}")),
        row("/env", base("\"env\":{" + pairs(257) + "}")),
        row("/env", base("\"env\":[]")),
        row("/metadata", base("\"metadata\":{" + pairs(65) + "}")),
        row("/metadata", base("\"metadata\":{\"a\":\"" + "é".repeat(8_192) + "\"}")),
        row("/metadata/a~1b~0c", base("\"metadata\":{\"a/b~c\":2}")),
        row("", "[]"),
        row("", "null"),
        row("", "\"base\""),
        row("", ""),
        row("", "{\"template\":\"base\""),
        row("", "{\"template\":\"base\"} {}"),
        row("", "{\"template\":\"base\",\"template\":\"node\"}"),
        row("", "{'template':'base'}"),
        row("", "{\"template\":NaN}"),
        row("", "\ufeff{\"template\":\"base\"}"),
        row("", "{\"metadata\":" + "[".repeat(2_000) + "]".repeat(2_000) + "}"));
  }

  private static Arguments row(String pointer, String body) {
    return Arguments.of(pointer, body);
  }

  private static String base(String more) {
    return "{\"template\":\"base\"," + more + "}";
  }

  private static String network(String text) {
    return base("\"egress\":{\"mode\":\"deny_all\",\"allow_cidrs\":[\"" + text + "\"]}");
  }

  private static String port(String text) {
    return base(
        "\"egress\":{\"mode\":\"deny_all\",\"allow_cidrs\":[\"10.0.0.0/8\"],\"allow_ports\":["
            + text
            + "]}");
  }

  private static String many(String text, int count) {
    return String.join(",", java.util.Collections.nCopies(count, text));
  }

  private static String pairs(int count) {
    StringBuilder pairs = new StringBuilder("\"a0\":\"\"");
    for (int i = 1; i < count; i++) {
      pairs.append(",\"a").append(i).append("\":\"\"");
    }
    return pairs.toString();
  }

  @ParameterizedTest
  @MethodSource("creates")
  void createIsRefusedWithAPointer(String pointer, String body) {
    Answer answer = api.post("/v1/sandboxes", body);

    assertProblem(answer, 400, "invalid_request");
    assertThat(answer.body().path("errors").findValuesAsText("pointer")).contains(pointer);
  }

  @Test
  void allErrorsAreToldAtOnce() {
    Answer answer =
        api.post("/v1/sandboxes", "{\"mode\":\"x\",\"size\":\"y\",\"metadata\":{\"\":\"z\"}}");

    assertThat(answer.body().path("errors").findValuesAsText("pointer"))
        .containsExactlyInAnyOrder("/template", "/mode", "/size", "/metadata/");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"timeout\":\"0s\"}",
        "{\"timeout\":\"-5m\"}",
        "{\"timeout\":300}",
        "{\"timeout\":\"\"}",
        "{\"timeout\":\"5 m\"}",
        "{\"time\":\"5m\"}",
        "[]"
      })
  void keepaliveIsRefused(String body) {
    assertProblem(api.post("/v1/sandboxes/" + ID + "/keepalive", body), 400, "invalid_request");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | /mode",
        "{\"mode\":\"allow\"} | /mode",
        "{\"mode\":\"allow_all\",\"deny_cidrs\":[\"10.0.0.0/8\"]} | /deny_cidrs",
        "{\"mode\":\"deny_all\",\"allow_ports\":[443]} | /allow_ports",
        "{\"mode\":\"deny_all\",\"allow_cidrs\":[\"10.0.0.1/8\"]} | /allow_cidrs/0",
        "{\"mode\":\"deny_all\",\"allow_cidr\":[]} | /allow_cidr"
      })
  void egressIsRefused(String body, String pointer) {
    Answer answer = api.put("/v1/sandboxes/" + ID + "/egress", body);
    assertProblem(answer, 400, "invalid_request");
    assertThat(answer.body().at("/errors/0/pointer").asText()).isEqualTo(pointer);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"command\":\"\"}",
        "{\"command\":null}",
        "{\"command\":[\"ls\"]}",
        "{\"command\":\"a\\u0000\"}",
        "{\"command\":\"ls\",\"timeout\":\"5m1s\"}",
        "{\"command\":\"ls\",\"timeout\":\"0s\"}",
        "{\"command\":\"ls\",\"timeout\":30}",
        "{\"command\":\"ls\",\"workdir\":\"tmp\"}",
        "{\"command\":\"ls\",\"env\":{\"A B\":\"c\"}}",
        "{\"command\":\"ls\",\"user\":\"\"}"
      })
  void executeIsRefused(String body) {
    assertProblem(api.post("/v1/sandboxes/" + ID + "/execute", body), 400, "invalid_request");
  }

  @Test
  void aCommandLongerThanLinuxTakesIsRefused() {
    assertProblem(
        api.post(
            "/v1/sandboxes/" + ID + "/execute", "{\"command\":\"" + "x".repeat(131_072) + "\"}"),
        400,
        "invalid_request");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "status=running&status=done",
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=",
        "limit=-1",
        "cursor=x",
        "cursor=eA",
        "statu=running",
        "metadata.a=1&metadata.a=2",
        "template=%00"
      })
  void listIsRefused(String query) {
    assertProblem(api.get("/v1/sandboxes?" + query), 400, "invalid_request");
  }

  @ParameterizedTest
  @ValueSource(strings = {"after=-1", "after=x", "limit=0"})
  void historyIsRefused(String query) {
    assertProblem(api.get("/v1/sandboxes/" + ID + "/events?" + query), 400, "invalid_request");
  }

  @Test
  void aBodyOfAMegabyteIsTooLarge() {
    String body = base("\"metadata\":{\"a\":\"" + "x".repeat(1_000_000) + "\"}");

    assertProblem(api.post("/v1/sandboxes", body), 413, "payload_too_large");
    assertProblem(
        api.send(
            api.authorized("/v1/sandboxes")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.fromPublisher(BodyPublishers.ofString(body)))),
        413,
        "payload_too_large");
  }

  @Test
  void brokenUtf8IsRefused() {
    byte[] body = "{\"template\":\"ba?e\"}".getBytes(StandardCharsets.US_ASCII);
    body[15] = (byte) 0xff;

    Answer answer =
        api.send(
            api.authorized("/v1/sandboxes")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body)));

    assertProblem(answer, 400, "invalid_request");
    assertThat(answer.text("detail")).contains("UTF-8");
  }

  @Test
  void compressedBodiesAreNotInflated() throws IOException {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write("{\"template\":\"base\"}".getBytes(StandardCharsets.UTF_8));
    }

    Answer answer =
        api.send(
            api.authorized("/v1/sandboxes")
                .header("Content-Type", "application/json")
                .header("Content-Encoding", "gzip")
                .POST(BodyPublishers.ofByteArray(compressed.toByteArray())));

    assertProblem(answer, 415, "unsupported_media_type");
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/nothing, 404, not_found",
    "GET, /v1/sandboxes/x/nothing, 404, not_found",
    "PATCH, /v1/sandboxes, 405, method_not_allowed",
    "PUT, /v1/sandboxes, 405, method_not_allowed",
    "BREW, /v1/sandboxes, 405, method_not_allowed",
    "GET, /v1/sandboxes/a%2Fb, 400, malformed_request",
    "GET, /v1/sandboxes/..%2f..%2fx, 400, malformed_request",
    "GET, /v1/sandboxes/a;b, 404, sandbox_not_found",
  })
  void whatIsBelowTheResourcesIsAProblemToo(String method, String path, int status, String code) {
    assertProblem(
        api.send(api.authorized(path).method(method, BodyPublishers.noBody())), status, code);
  }

  @Test
  void mediaTypesAreChecked() {
    assertProblem(
        api.send(
            api.authorized("/v1/sandboxes")
                .header("Content-Type", "text/plain")
                .POST(BodyPublishers.ofString("{}"))),
        415,
        "unsupported_media_type");
    assertProblem(
        api.send(api.authorized("/v1/sandboxes").header("Accept", "image/png").GET()),
        406,
        "not_acceptable");
    assertProblem(
        api.send(api.authorized("/v1/sandboxes").header("X-Large", "x".repeat(20_000)).GET()),
        431,
        "headers_too_large");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "Bearer", "Bearer x", "Basic eDp5", "Bearer sg_", "bearer ", "Bearer  a b"})
  void withoutAKeyNothingIsTold(String authorization) {
    Answer answer =
        api.send(api.request("/v1/sandboxes").header("Authorization", authorization).GET());

    assertProblem(answer, 401, "unauthorized");
    assertThat(answer.header("WWW-Authenticate")).startsWith("Bearer");
  }

  @Test
  void aKeyWithAnotherSecretIsUnknown() {
    String key = api.key();
    String other = key.substring(0, key.length() - 1) + (key.endsWith("0") ? "1" : "0");

    assertProblem(
        api.send(api.request("/v1/sandboxes").header("Authorization", "Bearer " + other).GET()),
        401,
        "unauthorized");
  }

  @Test
  void requestsThatAreNoHttpAreAnsweredWithProblems() throws IOException {
    for (String request :
        List.of(
            "GET /v1 HTTP/1.1\r\nno header\r\n\r\n",
            "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /v1 HTTP/1.1\r\n\r\n",
            "GET /" + "x".repeat(20_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /v1/sandboxes HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "nonsense\r\n\r\n")) {
      assertThat(raw(request)).as(request).startsWith("HTTP/1.1 4").contains("/problems/");
    }
  }

  private static String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void requestIdsAreEchoedOrMade() {
    assertThat(
            api.send(api.request("/healthz").header("X-Request-Id", "mine-1").GET())
                .header("X-Request-Id"))
        .isEqualTo("mine-1");
    assertThat(
            api.send(api.request("/healthz").header("X-Request-Id", "x".repeat(129)).GET())
                .header("X-Request-Id"))
        .startsWith("req_");
    assertThat(
            api.send(api.request("/nothing").header("X-Request-Id", "mine-2").GET())
                .text("request_id"))
        .isEqualTo("mine-2");
  }

  @Test
  void everyProblemHasAPage() {
    for (ProblemType type : ProblemType.values()) {
      Answer page = api.send(api.request("/problems/" + type.slug()).GET());
      assertThat(page.status()).isEqualTo(200);
      assertThat(page.response().body()).contains(type.title());
    }
    assertProblem(api.send(api.request("/problems/none").GET()), 404, "not_found");
  }

  /** Random damage to valid bodies: what comes back is documented, and never a 500. */
  @Test
  void damagedBodiesAreNeverMoreThanAProblem() {
    long seed = 20_261_123;
    Random random = new Random(seed);
    List<String> paths =
        List.of(
            "/v1/sandboxes",
            "/v1/sandboxes/" + ID + "/keepalive",
            "/v1/sandboxes/" + ID + "/execute");
    byte[] whole =
        ("{\"template\":\"none\",\"mode\":\"ephemeral\",\"timeout\":\"5m\",\"env\":{\"A\":\"b\"},"
                + "\"metadata\":{\"k\":\"é\"},\"egress\":{\"mode\":\"deny_all\","
                + "\"allow_cidrs\":[\"10.0.0.0/8\"],\"allow_ports\":[443]}}")
            .getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 600; i++) {
      byte[] body = Arrays.copyOf(whole, whole.length);
      for (int flaw = 0; flaw <= random.nextInt(4); flaw++) {
        body[random.nextInt(body.length)] = (byte) random.nextInt(256);
      }
      byte[] sent = Arrays.copyOf(body, 1 + random.nextInt(body.length));
      if (random.nextBoolean()) {
        sent = body;
      }
      Answer answer =
          api.send(
              api.authorized(paths.get(random.nextInt(paths.size())))
                  .header("Content-Type", "application/json")
                  .POST(BodyPublishers.ofByteArray(sent)));
      assertThat(answer.status()).as("seed %d, try %d: %s", seed, i, answer.body()).isIn(400, 404);
      assertProblem(answer, answer.status(), answer.text("code"));
    }
  }

  private static void assertProblem(Answer answer, int status, String code) {
    JsonNode body = answer.body();
    assertThat(answer.status()).as("%s", body).isEqualTo(status);
    assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(answer.text("code")).isEqualTo(code);
    ProblemType type = ProblemType.ofCode(code).orElseThrow();
    assertThat(answer.text("type")).isEqualTo("/problems/" + type.slug());
    assertThat(answer.text("title")).isEqualTo(type.title());
    assertThat(body.path("status").intValue()).isEqualTo(status);
    assertThat(answer.text("detail")).isNotBlank();
    assertThat(answer.text("instance")).startsWith("/");
    assertThat(answer.text("request_id")).isEqualTo(answer.header("X-Request-Id")).isNotBlank();
    assertThat(body.has("errors")).isEqualTo(code.equals("invalid_request"));
  }
}
