package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files against a node whose every answer the test writes itself. */
final class FilesTest {
  private static final long LIMIT = 104_857_600;

  /** A request as the node saw it; a body that broke off has the size -1. */
  private record Asked(String method, String query, long bytes) {}

  /** What the node answers once it has read the body. */
  interface Script {
    void answer(HttpExchange exchange, long bytes) throws IOException;
  }

  private static InProcessLog log;
  private static RunningApi api;
  private static HttpServer node;
  private static volatile Script script;
  private static final List<Asked> asked = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    node.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    node.createContext(
        "/",
        exchange -> {
          try (exchange) {
            long bytes = count(exchange.getRequestBody());
            asked.add(
                new Asked(exchange.getRequestMethod(), exchange.getRequestURI().getQuery(), bytes));
            if (bytes >= 0) {
              script.answer(exchange, bytes);
            }
          }
        });
    node.start();
  }

  private static long count(InputStream body) {
    try {
      return body.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      return -1;
    }
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
    node.stop(0);
  }

  @BeforeEach
  void fresh() {
    asked.clear();
    log.mood(InProcessLog.Mood.WORKING);
    log.engine().startSandboxes(true);
    log.dataPlane(URI.create("http://127.0.0.1:" + node.getAddress().getPort()));
    script = (exchange, _) -> exchange.sendResponseHeaders(204, -1);
  }

  private static String sandbox() {
    return api.post("/v1/sandboxes", "{\"template\":\"base\"}").text("id");
  }

  private static String at(String id, String what, String path) {
    return "/v1/sandboxes/"
        + id
        + "/"
        + what
        + "?path="
        + URLEncoder.encode(path, StandardCharsets.UTF_8);
  }

  private static Answer upload(
      String id, String path, HttpRequest.BodyPublisher content, String... headers) {
    HttpRequest.Builder request = api.authorized(at(id, "upload", path)).POST(content);
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return api.send(request);
  }

  private static HttpRequest.BodyPublisher zeros(long bytes, boolean chunked) {
    HttpRequest.BodyPublisher stream = BodyPublishers.ofInputStream(() -> new Zeros(bytes));
    return chunked ? stream : BodyPublishers.fromPublisher(stream, bytes);
  }

  /** As many zeros as wanted. */
  private static final class Zeros extends InputStream {
    private long left;

    Zeros(long bytes) {
      left = bytes;
    }

    @Override
    public int read() {
      return left-- > 0 ? 0 : -1;
    }

    @Override
    public int read(byte[] to, int offset, int length) {
      if (left <= 0) {
        return -1;
      }
      int n = (int) Math.min(left, length);
      left -= n;
      return n;
    }
  }

  private static Script refuse(int status, String code) {
    return (exchange, _) -> {
      byte[] body =
          ("{\"code\":\"" + code + "\",\"detail\":\"so\"}").getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    };
  }

  @Test
  void anUploadIsRecordedAndPassedOn() {
    String id = sandbox();
    Answer answer =
        upload(
            id,
            "/tmp/ü +&=%/x",
            BodyPublishers.ofString("hello"),
            "Content-Type",
            "application/x-www-form-urlencoded");

    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(204);
    assertThat(asked)
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.method()).isEqualTo("PUT");
              assertThat(it.bytes()).isEqualTo(5);
              assertThat(it.query()).contains("incarnation=1", "limit=" + LIMIT);
              assertThat(it.query()).contains("path=/tmp/ü +&=%/x".replace(" ", "+"));
            });
    assertThat(api.get("/v1/sandboxes/" + id + "/events").response().body())
        .contains("ExecutionStarted", "\"upload\"", "/tmp/ü +&=%/x");
  }

  @Test
  void theLimitIsExact() {
    String id = sandbox();
    assertThat(upload(id, "/f", zeros(LIMIT, false)).status()).isEqualTo(204);
    assertThat(asked.getLast().bytes()).isEqualTo(LIMIT);
    assertThat(upload(id, "/f", zeros(LIMIT, true)).status()).isEqualTo(204);
    assertThat(asked.getLast().bytes()).isEqualTo(LIMIT);
    asked.clear();

    Answer announced = upload(id, "/f", zeros(LIMIT + 1, false));
    assertThat(announced.status()).isEqualTo(400);
    assertThat(announced.text("code")).isEqualTo("file_too_large");
    assertThat(asked).isEmpty();

    script = refuse(400, "too_large");
    Answer chunked = upload(id, "/f", zeros(LIMIT + 5_000_000, true));
    assertThat(chunked.status()).isEqualTo(400);
    assertThat(chunked.text("code")).isEqualTo("file_too_large");
    assertThat(asked.getLast().bytes()).isEqualTo(LIMIT + 1);
  }

  @Test
  void aBodyThatBreaksOffIsNeverComplete() throws Exception {
    String id = sandbox();
    for (String head :
        List.of(
            "Content-Length: 100000\r\n\r\n" + "x".repeat(70_000),
            "Transfer-Encoding: chunked\r\n\r\n10000\r\n" + "x".repeat(65_536) + "\r\n",
            "Transfer-Encoding: chunked\r\n\r\n10000\r\nxxx")) {
      asked.clear();
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
        socket
            .getOutputStream()
            .write(
                ("POST "
                        + at(id, "upload", "/f")
                        + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                        + api.key()
                        + "\r\n"
                        + head)
                    .getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        await().atMost(Duration.ofSeconds(20)).until(() -> begun(id));
      }
      await().atMost(Duration.ofSeconds(20)).until(() -> !asked.isEmpty());
      assertThat(asked).extracting(Asked::bytes).containsExactly(-1L);
      log.received().clear();
    }
  }

  @Test
  void aNodeThatCannotBeReachedHasTakenNothing() throws Exception {
    String id = sandbox();
    String closed;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closed = "127.0.0.1:" + socket.getLocalPort();
    }
    // A label of a name has up to 63 characters: nobody is asked for this one.
    for (String place : List.of(closed, "x".repeat(64) + ".invalid")) {
      log.dataPlane(URI.create("http://" + place));
      for (Answer answer :
          List.of(
              upload(id, "/f", BodyPublishers.ofString("x")),
              api.get(at(id, "download", "/f")),
              api.get(at(id, "files", "/")))) {
        assertThat(answer.status()).as(place).isEqualTo(503);
        assertThat(answer.text("code")).isEqualTo("node_unavailable");
        assertThat(answer.header("Retry-After")).isNotNull();
      }
    }
  }

  private static boolean begun(String id) {
    return log.received().stream()
        .anyMatch(c -> c instanceof Command.BeginExecution && c.header().sandboxId().equals(id));
  }

  @Test
  void pathsHaveRules() {
    String id = sandbox();
    Stream.of(
            "",
            "x",
            "../x",
            "/",
            "//",
            "/.",
            "/a/../b",
            "/..",
            "/a/..",
            "/a/",
            "/a/.",
            "/a\0b",
            "/" + "x".repeat(4096))
        .forEach(
            path -> {
              Answer up = upload(id, path, BodyPublishers.ofString("hello"));
              assertThat(up.status()).as(path).isEqualTo(400);
              assertThat(up.body().path("errors").path(0).path("pointer").asText())
                  .isEqualTo("path");
              assertThat(api.get(at(id, "download", path)).status()).as(path).isEqualTo(400);
            });
    assertThat(
            api.send(
                    api.authorized("/v1/sandboxes/" + id + "/upload?path=/a%FF")
                        .POST(BodyPublishers.ofString("x")))
                .status())
        .isEqualTo(400);
    assertThat(
            api.send(
                    api.authorized("/v1/sandboxes/" + id + "/upload")
                        .POST(BodyPublishers.ofString("x")))
                .status())
        .isEqualTo(400);
    assertThat(api.get("/v1/sandboxes/" + id + "/files?path=/..").status()).isEqualTo(400);
    assertThat(api.get(at(id, "files", "/") + "&limit=1001").status()).isEqualTo(400);
    assertThat(api.get(at(id, "files", "/") + "&cursor=%21").status()).isEqualTo(400);
    assertThat(asked).isEmpty();
    assertThat(begun(id)).isFalse();
    for (String path : List.of("/a..b", "/...", "/" + "ü".repeat(2047) + "x")) {
      assertThat(upload(id, path, BodyPublishers.ofString("x")).status()).isEqualTo(204);
    }
  }

  @Test
  void refusalsAreTold() {
    String id = sandbox();
    Map<String, List<Object>> table =
        Map.ofEntries(
            Map.entry("unknown_sandbox", List.of(404, 409, "not_running")),
            Map.entry("not_running", List.of(409, 409, "not_running")),
            Map.entry("not_found", List.of(404, 404, "file_not_found")),
            Map.entry("invalid_path", List.of(400, 400, "invalid_path")),
            Map.entry("is_directory", List.of(400, 400, "not_a_file")),
            Map.entry("not_a_file", List.of(400, 400, "not_a_file")),
            Map.entry("not_a_directory", List.of(400, 400, "not_a_directory")),
            Map.entry("not_permitted", List.of(400, 400, "path_not_permitted")),
            Map.entry("too_large", List.of(400, 400, "file_too_large")),
            Map.entry("io_error", List.of(409, 409, "file_system_refused")),
            Map.entry("no_space", List.of(507, 507, "no_space")),
            Map.entry("too_many_executions", List.of(503, 429, "too_many_requests")),
            Map.entry("guest_unreachable", List.of(503, 503, "node_unavailable")),
            Map.entry("broken", List.of(502, 503, "node_unavailable")));
    table.forEach(
        (code, row) -> {
          script = refuse((int) row.get(0), code);
          for (String what : List.of("download", "files")) {
            Answer answer = api.get(at(id, what, "/f"));
            assertThat(answer.status()).as(code).isEqualTo(row.get(1));
            assertThat(answer.text("code")).isEqualTo(row.get(2));
            assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
          }
        });
    script = refuse(404, "not_found");
    assertThat(upload(id, "/proc/x", BodyPublishers.ofString("x")).text("code"))
        .isEqualTo("invalid_path");
    script = refuse(502, "broken");
    Answer doubt = upload(id, "/f", BodyPublishers.ofString("x"));
    assertThat(doubt.status()).isEqualTo(502);
    assertThat(doubt.text("code")).isEqualTo("execution_outcome_unknown");
  }

  @Test
  void onlyRunningSandboxesOfOnesOwnAndNothingThatIsNotRecorded() {
    log.engine().startSandboxes(false);
    String creating = sandbox();
    log.engine().startSandboxes(true);
    String destroyed = sandbox();
    api.delete("/v1/sandboxes/" + destroyed);
    for (String id : List.of(creating, destroyed)) {
      assertThat(upload(id, "/f", BodyPublishers.ofString("x")).text("code"))
          .isEqualTo("not_running");
      assertThat(api.get(at(id, "download", "/f")).text("code")).isEqualTo("not_running");
      assertThat(api.get(at(id, "files", "/")).text("code")).isEqualTo("not_running");
    }
    assertThat(api.get(at("sbx_00000000000000000000000000", "download", "/f")).status())
        .isEqualTo(404);
    String running = sandbox();
    for (InProcessLog.Mood mood : List.of(InProcessLog.Mood.DOWN, InProcessLog.Mood.SILENT)) {
      log.mood(mood);
      assertThat(upload(running, "/f", BodyPublishers.ofString("x")).text("code"))
          .isEqualTo("log_unavailable");
      assertThat(api.get(at(running, "download", "/f")).status()).isEqualTo(503);
      assertThat(api.get(at(running, "files", "/")).status()).isEqualTo(503);
    }
    assertThat(asked).isEmpty();
  }

  @Test
  void theSameKeyWritesOnce() {
    String id = sandbox();
    Answer first = upload(id, "/f", BodyPublishers.ofString("one"), "Idempotency-Key", "up-1");
    Answer again = upload(id, "/f", BodyPublishers.ofString("one"), "Idempotency-Key", "up-1");
    Answer other = upload(id, "/f", BodyPublishers.ofString("two"), "Idempotency-Key", "up-1");
    Answer path = upload(id, "/g", BodyPublishers.ofString("one"), "Idempotency-Key", "up-1");

    assertThat(first.status()).isEqualTo(204);
    assertThat(first.header("Repr-Digest"))
        .isEqualTo("sha-256=:dpLDrTVAu4A8Ags67mbNiIcSMjTqDG5xQ8Ct1z/0Me0=:");
    assertThat(again.status()).isEqualTo(204);
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(other.status()).isEqualTo(422);
    assertThat(path.status()).isEqualTo(422);
    assertThat(asked).hasSize(1);
  }

  @Test
  void anUploadThatFailedMayBeTriedAgainWithItsKey() {
    String id = sandbox();
    script = refuse(507, "no_space");
    assertThat(upload(id, "/f", BodyPublishers.ofString("one"), "Idempotency-Key", "up-2").status())
        .isEqualTo(507);
    script = (exchange, _) -> exchange.sendResponseHeaders(204, -1);
    assertThat(upload(id, "/f", BodyPublishers.ofString("one"), "Idempotency-Key", "up-2").status())
        .isEqualTo(204);
    assertThat(asked.get(0).query()).isNotEqualTo(asked.get(1).query());

    script = refuse(502, "broken");
    upload(id, "/f", BodyPublishers.ofString("one"), "Idempotency-Key", "up-3");
    assertThat(
            upload(id, "/f", BodyPublishers.ofString("one"), "Idempotency-Key", "up-3")
                .text("code"))
        .isEqualTo("execution_in_doubt");
  }

  @Test
  void aDownloadIsPassedOn() throws Exception {
    String id = sandbox();
    byte[] content = new byte[3_000_000];
    new Random(3).nextBytes(content);
    script =
        (exchange, _) -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
        };
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<byte[]> got =
          client.send(api.authorized(at(id, "download", "/f")).build(), BodyHandlers.ofByteArray());
      assertThat(got.statusCode()).isEqualTo(200);
      assertThat(got.headers().firstValue("Content-Type")).contains("application/octet-stream");
      assertThat(got.headers().firstValueAsLong("Content-Length")).hasValue(content.length);
      assertThat(got.body()).isEqualTo(content);
    }
    script = (exchange, _) -> exchange.sendResponseHeaders(200, -1);
    assertThat(api.get(at(id, "download", "/empty")).status()).isEqualTo(200);
    assertThat(api.get("/v1/sandboxes/" + id + "/events").response().body())
        .contains("\"download\"");
  }

  @Test
  void aDownloadThatBreaksOffDoesNotLookComplete() throws Exception {
    String id = sandbox();
    try (HttpClient client = HttpClient.newHttpClient()) {
      script = brokenAfter(0);
      assertThat(api.get(at(id, "download", "/f")).text("code")).isEqualTo("node_unavailable");
      for (int sent : List.of(1000, 2_000_000)) {
        script = brokenAfter(sent);
        assertThatThrownBy(
                () ->
                    client.send(
                        api.authorized(at(id, "download", "/f")).build(),
                        BodyHandlers.ofByteArray()))
            .as("%d of 3000000", sent)
            .isInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void aClientThatHangsUpEndsItsDownload() throws Exception {
    String id = sandbox();
    CountDownLatch ended = new CountDownLatch(1);
    script =
        (exchange, _) -> {
          exchange.sendResponseHeaders(200, 1L << 30);
          try {
            new Zeros(1L << 30).transferTo(exchange.getResponseBody());
          } catch (IOException e) {
            ended.countDown();
          }
        };
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
      socket
          .getOutputStream()
          .write(
              ("GET "
                      + at(id, "download", "/f")
                      + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                      + api.key()
                      + "\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(socket.getInputStream().readNBytes(100_000)).hasSize(100_000);
    }
    assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
  }

  private static Script brokenAfter(int bytes) {
    return (exchange, _) -> {
      exchange.sendResponseHeaders(200, 3_000_000);
      exchange.getResponseBody().write(new byte[bytes]);
      exchange.getResponseBody().flush();
    };
  }

  @Test
  void aHeadIsNoDownload() {
    String id = sandbox();
    Answer answer =
        api.send(api.authorized(at(id, "download", "/f")).method("HEAD", BodyPublishers.noBody()));
    assertThat(answer.status()).isEqualTo(405);
    assertThat(asked).isEmpty();
  }

  @Test
  void aListingIsActivityAndHasPages() {
    String id = sandbox();
    script =
        (exchange, _) -> {
          byte[] body =
              """
              {"entries":[{"name":"a","name_base64":"YQ","type":"file","size":5,"mode":420,
                "modified_ms":1700000000123}],"more":true}
              """
                  .getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
        };
    Answer answer = api.get(at(id, "files", "/") + "&limit=1");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body().path("entries").toString())
        .isEqualTo(
            "[{\"name\":\"a\",\"type\":\"file\",\"size\":5,\"mode\":\"0644\","
                + "\"modified_at\":\"2023-11-14T22:13:20.123Z\"}]");
    api.get(at(id, "files", "/") + "&cursor=" + answer.text("next_cursor"));
    assertThat(asked.getLast().query()).contains("after=YQ");
    assertThat(api.get("/v1/sandboxes/" + id + "/events").response().body())
        .contains("ActivityRecorded");
  }
}
