package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.api.resources.OpenApi;
import io.swagger.v3.core.util.Yaml;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What no HTTP client sends, byte by byte: each is answered by a problem, or by nothing at all. */
final class HardeningTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SLOW_ONES = 200;

  private static RunningApi api;
  private static String sandbox;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    api = RunningApi.start(data, new InProcessLog(), Map.of("SANDGLASS_IDLE_TIMEOUT", "3s"));
    sandbox = api.post("/v1/sandboxes", "{\"template\":\"base\"}").text("id");
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
  }

  @AfterEach
  void theNextOneIsServed() {
    assertThat(api.get("/v1/sizes").status()).isEqualTo(200);
  }

  /**
   * The first answer, its body without chunks, with whatever follows; {@code status} is 0 when the
   * connection was closed without one.
   */
  record Raw(int status, String head, String body) {
    static Raw of(String text) {
      if (text.isEmpty()) {
        return new Raw(0, "", "");
      }
      int end = text.indexOf("\r\n\r\n");
      int json = text.indexOf('{', end);
      int last = text.indexOf("}\r\n0\r\n\r\n", end);
      assertThat(text).startsWith("HTTP/1.1 ");
      return new Raw(
          Integer.parseInt(text.substring(9, 12)),
          text.substring(0, end),
          json < 0
              ? ""
              : last < 0
                  ? text.substring(json)
                  : text.substring(json, last + 1) + text.substring(last + 8));
    }

    boolean closes() {
      return head.toLowerCase(Locale.ROOT).contains("\r\nconnection: close");
    }
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        row("two lengths", post("Content-Length: 2\r\nContent-Length: 3", "{} ")),
        row("a list of lengths", post("Content-Length: 2, 3", "{} ")),
        row("a negative length", post("Content-Length: -1", "")),
        row("a signed length", post("Content-Length: +2", "{}")),
        row("a hexadecimal length", post("Content-Length: 0x2", "{}")),
        row("no length", post("Content-Length: ", "{}")),
        row("an endless length", post("Content-Length: 99999999999999999999", "{}")),
        row(
            "length and chunks",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
        row(
            "chunks and length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n")),
        row("chunked twice", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n")),
        row("chunked, but not last", post("Transfer-Encoding: chunked, identity", "0\r\n\r\n")),
        row(
            "two codings",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n")),
        row("unknown coding", post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
        row("space before the colon", post("Transfer-Encoding : chunked", "0\r\n\r\n")),
        row("chunk of no size", post("Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n")),
        row("chunk of negative size", post("Transfer-Encoding: chunked", "-2\r\n{}\r\n0\r\n\r\n")),
        row("endless chunk", post("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFFF\r\n{}\r\n")),
        row("chunk longer than said", post("Transfer-Encoding: chunked", "1\r\n{}\r\n0\r\n\r\n")),
        row("broken-off body", post("Content-Length: 20", "{\"template\":")),
        row("broken-off chunks", post("Transfer-Encoding: chunked", "5\r\n{\"te")),
        row("only a method", "GET\r\n\r\n"),
        row("no version", "GET /v1/sizes\r\n\r\n"),
        row("no method", " /v1/sizes HTTP/1.1\r\nHost: x\r\n\r\n"),
        row("no HTTP", "GET /v1/sizes SPDY/3\r\nHost: x\r\n\r\n"),
        row("binary", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n"),
        row("NUL in the method", "G\u0000T /v1/sizes HTTP/1.1\r\nHost: x\r\n\r\n"),
        row("an endless method", "G".repeat(20_000) + " /v1/sizes HTTP/1.1\r\nHost: x\r\n\r\n"),
        row("no host", "GET /v1/sizes HTTP/1.1\r\n\r\n"),
        row("two hosts", get("/v1/sizes", "Host: y")),
        row("no colon", get("/v1/sizes", "nonsense")),
        row("no name", get("/v1/sizes", ": nonsense")),
        row("folded header", get("/v1/sizes", "X-A: a\r\n b")),
        row("NUL in a header", get("/v1/sizes", "X-A: a\u0000b")),
        row("NUL in a header's name", get("/v1/sizes", "X-\u0000: a")),
        row("a large header", get("/v1/sizes", "X-A: " + "x".repeat(20_000))),
        row("many headers", get("/v1/sizes", "X-A: b\r\n".repeat(4_000) + "X-B: c")),
        row("an endless path", get("/" + "x".repeat(20_000))),
        row("dots, encoded", get("/v1/sandboxes/%2e%2e%2fadmin%2forganizations")),
        row("dots, encoded in part", get("/v1/%2e%2e/v1/sizes")),
        row("dots with a parameter", get("/v1/..;/v1/sizes")),
        row("above the root", get("/../v1/sizes")),
        row("encoded twice", get("/v1/sandboxes/%252e%252e%252fsizes")),
        row("an empty segment", get("/v1//sizes")),
        row("an empty first segment", get("//v1/sizes")),
        row("NUL in the path", get("/v1/sizes%00")),
        row("NUL in an id", get("/v1/sandboxes/a%00b")),
        row("a raw NUL", get("/v1/sizes\u0000")),
        row("encoded slash", get("/v1%2fsizes")),
        row("encoded backslash", get("/v1%5csizes")),
        row("backslashes", get("\\v1\\sizes")),
        row("half an escape", get("/v1/sizes%z")),
        row("overlong UTF-8", get("/v1/sandboxes/%c0%ae%c0%ae%c0%af")),
        row("no path", get("v1/sizes")),
        row("asterisk", get("*")),
        row("another's address", get("http://198.51.100.7/v1/sizes")),
        row("connect", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n"),
        row("trace", "TRACE /v1/sizes HTTP/1.1\r\nHost: x\r\n\r\n"),
        row("unknown method", "BREW /v1/sizes HTTP/1.1\r\nHost: x\r\n\r\n"),
        row("method in small letters", "get /v1/sizes HTTP/1.1\r\nHost: x\r\n\r\n"),
        row("unknown expectation", post("Content-Length: 2\r\nExpect: tea", "{}")),
        row("HTTP/2 without a negotiation", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        row("HTTP of the future", "GET /v1/sizes HTTP/9.9\r\nHost: x\r\n\r\n"));
  }

  private static Arguments row(String name, String request) {
    return Arguments.of(name, request);
  }

  private static String get(String target, String... headers) {
    return "GET "
        + target
        + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        + api.key()
        + "\r\n"
        + Stream.of(headers).map(header -> header + "\r\n").reduce("", String::concat)
        + "\r\n";
  }

  private static String post(String headers, String body) {
    return "POST /v1/sandboxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        + api.key()
        + "\r\nContent-Type: application/json\r\n"
        + headers
        + "\r\n\r\n"
        + body;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("broken")
  void isAnsweredByAProblemOrNothing(String name, String request) throws IOException {
    // Whatever a server takes for the end of the request, this one must not be served after it.
    String smuggled = "GET /version HTTP/1.1\r\nHost: x\r\nX-Smuggled: yes\r\n\r\n";
    boolean ends = name.startsWith("broken-off");
    Raw raw = Raw.of(exchange(request + (request.startsWith("POST") && !ends ? smuggled : "")));

    if (raw.status() != 0) {
      assertThat(raw.status()).as("%s: %s", name, raw).isBetween(400, 499);
      assertThat(raw.head()).containsIgnoringCase("content-type: application/problem+json");
      assertThat(raw.body()).doesNotContain("sandglass\",\"version");
      JsonNode problem = JSON.readTree(raw.body());
      assertThat(problem.path("type").asText()).startsWith("/problems/");
      assertThat(problem.path("status").asInt()).isEqualTo(raw.status());
      assertThat(problem.path("request_id").asText()).isNotEmpty();
    }
  }

  @Test
  void theAbsoluteFormIsTheSameAsTheOther() throws IOException {
    assertThat(Raw.of(exchange(get("http://x/v1/sizes", "Connection: close"))).status())
        .isEqualTo(200);
    assertThat(
            Raw.of(
                    exchange(
                        "GET http://x/v1/sizes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .status())
        .isEqualTo(401);
  }

  @Test
  void theOldVersionIsServedOnceAConnection() throws IOException {
    String request = "GET /version HTTP/1.0\r\n\r\n";

    Raw raw = Raw.of(exchange(request + request));

    assertThat(raw.status()).isEqualTo(200);
    assertThat(raw.body()).endsWith("}").doesNotContain("HTTP/1");
  }

  @Test
  void aRefusalKeepsTheConnectionWhenTheBodyIsReadAndEndsItOtherwise() throws IOException {
    String start = "POST /v1/sandboxes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    String next = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    String both = exchange(start + "Content-Length: 5\r\n\r\nabcde" + next);
    assertThat(both.split("HTTP/1.1 ", -1)).hasSize(3);
    assertThat(both).startsWith("HTTP/1.1 401").contains("HTTP/1.1 200");

    Raw waiting = Raw.of(exchange(start + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    assertThat(waiting.status()).isEqualTo(401);
    assertThat(waiting.closes()).isTrue();
  }

  static List<Arguments> bodies() throws IOException {
    List<Arguments> all = new ArrayList<>();
    JsonNode document = Yaml.mapper().readTree(OpenApi.yaml("0"));
    for (var path : document.path("paths").properties()) {
      for (var method : path.getValue().properties()) {
        JsonNode operation = method.getValue();
        if (operation.path("requestBody").path("content").has("*/*")
            || operation.path("requestBody").path("content").has("application/json")) {
          all.add(
              Arguments.of(
                  method.getKey().toUpperCase(Locale.ROOT),
                  path.getKey(),
                  operation.path("x-required-scope").asText().equals("admin")));
        }
      }
    }
    assertThat(all).hasSizeGreaterThan(5);
    return all;
  }

  @ParameterizedTest
  @MethodSource("bodies")
  void everyBodyHasALimitAndIsNeverInflated(String method, String path, boolean admin)
      throws IOException {
    String target =
        path.replace("{id}", admin ? api.bootstrap().organizations().getFirst() : sandbox)
            .replaceAll("\\{[a-z_]+}", "none");
    byte[] large =
        "{\"a\":\"%s\"}".formatted("x".repeat(3_000_000)).getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream small = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(small)) {
      gzip.write(large);
    }

    HttpRequest.Builder request = json(target, admin);
    assertThat(api.send(request.method(method, BodyPublishers.ofByteArray(large))).status())
        .isEqualTo(413);
    request = json(target, admin).header("Content-Encoding", "gzip");
    assertThat(
            api.send(request.method(method, BodyPublishers.ofByteArray(small.toByteArray())))
                .status())
        .isEqualTo(415);
  }

  private static HttpRequest.Builder json(String target, boolean admin) {
    return api.request(target)
        .header("Authorization", "Bearer " + (admin ? RunningApi.ADMIN_KEY : api.key()))
        .header("Content-Type", "application/json");
  }

  @Test
  void aHealthyRequestIsAnsweredBesideManySlowOnesAndThoseAreGivenUp() throws Exception {
    List<String> slow =
        List.of(
            "GET /v1/si",
            "GET /v1/sizes HTTP/1.1\r\nHost: x\r\nX-",
            post("Content-Length: 100", "{\"template\":"),
            post("Transfer-Encoding: chunked", "9\r\n{\"templ"),
            "POST /v1/sandboxes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Content-Length: 100\r\n\r\n{");
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < SLOW_ONES; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port());
        sockets.add(socket);
        socket.getOutputStream().write(bytes(slow.get(i % slow.size())));
      }
      assertThat(api.get("/v1/sandboxes/" + sandbox).status()).isEqualTo(200);
      assertThat(api.post("/v1/sandboxes", "{\"template\":\"base\"}").status()).isEqualTo(201);
      for (Socket socket : sockets) {
        socket.setSoTimeout(60_000);
        Raw raw = Raw.of(read(socket));
        assertThat(raw.status()).as("%s", raw).isIn(0, 400, 401, 408);
      }
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String exchange(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), api.port())) {
      socket.setSoTimeout(60_000);
      try {
        socket.getOutputStream().write(bytes(request));
        socket.shutdownOutput();
      } catch (SocketException e) {
        // It was answered, or closed, before the end.
      }
      return read(socket);
    }
  }

  /** Until the connection ends, with or without an answer. */
  private static String read(Socket socket) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    InputStream in = socket.getInputStream();
    try {
      in.transferTo(all);
    } catch (SocketException e) {
      // Reset: what was sent is not read any more.
    }
    return all.toString(StandardCharsets.UTF_8);
  }
}
