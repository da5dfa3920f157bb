package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What hostile code and hostile callers do that no other test does, beside a neighbour who goes on
 * working. The whole list, and which test proves what, is in docs/security.md.
 */
class AbuseIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int MOST_BYTES = 64 << 20;
  private static final int MOST_FILES = 5000;
  private static final int OUTPUT_LIMIT = 10 << 20;

  @TempDir static Path data;
  private static SandglassProcess sandglass;
  private static ApiClient api;
  private static String neighbour;

  private String id;

  @BeforeAll
  static void start() {
    sandglass =
        SandglassProcess.start(
            data,
            Map.of(
                "SANDGLASS_DISK_BYTES", Integer.toString(MOST_BYTES),
                "SANDGLASS_DISK_FILES", Integer.toString(MOST_FILES)));
    api = sandglass.client();
    neighbour = api.create("{\"template\": \"base\", \"timeout\": \"1h\"}");
  }

  @AfterAll
  static void stop() {
    sandglass.close();
  }

  @BeforeEach
  void sandbox() {
    id = api.create("{\"template\": \"python\", \"timeout\": \"1h\"}");
  }

  @AfterEach
  void noSandbox() {
    api.destroy(id);
  }

  /** What a command comes to, while the neighbour's are answered as always. */
  private ApiClient.Answer beside(String command, String timeout) {
    CompletableFuture<ApiClient.Answer> bomb =
        CompletableFuture.supplyAsync(
            () ->
                api.post(
                    "/v1/sandboxes/" + id + "/execute",
                    new ObjectMapper()
                        .createObjectNode()
                        .put("command", command)
                        .put("timeout", timeout)
                        .toString()));
    do {
      assertAlive(neighbour);
    } while (!bomb.isDone());
    return bomb.join();
  }

  private static void assertAlive(String sandbox) {
    assertThat(api.execute(sandbox, "echo alive").expect(200).text("stdout")).isEqualTo("alive\n");
  }

  @Test
  void aForkBombEndsWithItsCommand() {
    JsonNode answer = beside("f() { f | f & }; f; sleep 600", "3s").expect(200).body();

    assertThat(answer.get("exit_code").asInt()).isEqualTo(124);
    assertAlive(id);
  }

  @Test
  void aMemoryBombEndsItsCommandAlone() {
    JsonNode answer =
        beside(
                "for i in 1 2 3 4; do python3 -c 'x = bytearray(1 << 30)' & done;"
                    + " python3 -c 'x = bytearray(1 << 30)'",
                "60s")
            .expect(200)
            .body();

    assertThat(answer.get("exit_code").asInt()).isEqualTo(137);
    assertAlive(id);
  }

  @Test
  void anOutputBombIsCut() {
    JsonNode answer = beside("yes & yes >&2 & yes", "3s").expect(200).body();

    assertThat(answer.get("exit_code").asInt()).isEqualTo(124);
    assertThat(answer.get("truncated").asBoolean()).isTrue();
    assertThat(answer.get("stdout").asText()).hasSize(OUTPUT_LIMIT);
    assertThat(answer.get("stderr").asText()).hasSize(OUTPUT_LIMIT);
    assertAlive(id);
  }

  @Test
  void aDiskBombEndsItsSandbox() {
    assertEnds(
        "cat /dev/zero | head -c 4G > /bomb; sleep 600",
        "bytes to disk, more than its " + MOST_BYTES);
  }

  @Test
  void aBombOfFilesEndsItsSandbox() {
    assertEnds(
        "mkdir /bomb; cd /bomb; seq 200000 | xargs touch; sleep 600",
        "files, more than its " + MOST_FILES);
  }

  private void assertEnds(String bomb, String why) {
    ApiClient.Answer answer = beside(bomb, "2m");

    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(409);
    Awaitility.await().atMost(SOON).until(() -> api.status(id).equals("destroyed"));
    JsonNode sandbox = api.get("/v1/sandboxes/" + id).expect(200).body();
    assertThat(sandbox.get("reason").asText()).isEqualTo("exited");
    assertThat(sandbox.get("reason_detail").asText()).contains(why);
    Awaitility.await().atMost(SOON).until(() -> Containers.of(id).isEmpty());
    assertAlive(neighbour);
  }

  /**
   * Whoever is in the sandbox reaches the executor's socket. Without the token of its first process
   * it gets nothing from there, and takes nothing from others.
   */
  @Test
  void nonsenseAndFloodsToTheExecutorHurtNobody() throws IOException {
    JsonNode answer =
        beside("python3 - <<'END'\n" + resource("frames.py") + "\nEND\n", "60s").expect(200).body();

    assertThat(answer.get("exit_code").asInt()).as("%s", answer).isZero();
    assertThat(answer.get("stdout").asText()).contains("answers: 0").doesNotContain("sent: 0\n");
    assertAlive(id);
    assertThat(api.get("/readyz").status()).isEqualTo(200);
    try (Stream<String> log = Files.lines(sandglass.log())) {
      assertThat(log.filter(line -> line.contains("guest_refused") && line.contains(id)))
          .as("the log is not flooded")
          .hasSizeBetween(1, 3);
    }
  }

  /** The ways to write {@code ..} that some decoder somewhere has taken for it. */
  private static final List<String> DOTS =
      List.of(
          "..",
          "%2e%2e",
          "%2E.",
          ".%2e",
          "%252e%252e",
          "%25252e%25252e",
          "%c0%ae%c0%ae",
          "%e0%80%ae%e0%80%ae",
          "%f0%80%80%ae%f0%80%80%ae",
          "%uff0e%uff0e",
          "%u002e%u002e",
          "%ef%bc%8e%ef%bc%8e",
          "%e2%80%a5",
          "..%00",
          "%00..",
          "..;",
          "..%3b",
          "..%09",
          "..%20",
          "%20..",
          "..%5c..",
          "..%0d%0a",
          "%00%2e%00%2e",
          "%2e%00%2e%00",
          "....",
          "+..");

  /** How the slashes around them can be written. */
  private static final List<String> SLASHES = List.of("/", "%2f", "%252f", "%5c", "%c0%af");

  @Test
  void noSpellingOfDotsLeadsAnywhereElse(@TempDir Path outside) throws Exception {
    String below = outside.toString().substring(1);
    api.execute(id, "mkdir -p /e/in && echo >/tmp/since").expect(200);
    int refused = 0;
    int kept = 0;
    for (String dots : DOTS) {
      for (String slash : SLASHES) {
        String path = "/e/in" + (slash + dots).repeat(9) + slash + below + slash + "canary";
        String up = exchange("POST", "upload", path);
        String down = exchange("GET", "download", path);
        if (up.startsWith("HTTP/1.1 204 ")) {
          kept++;
          assertThat(down).as(path).startsWith("HTTP/1.1 200 ").contains("hit");
        } else {
          refused++;
          assertThat(up).as(path).startsWith("HTTP/1.1 400 ").contains("application/problem+json");
          assertThat(down).as(path).startsWith("HTTP/1.1 400 ");
        }
      }
    }
    assertThat(refused).as("dots that are dots").isGreaterThan(SLASHES.size() * 3);
    assertThat(kept).as("names that only look like dots").isPositive();
    assertThat(outside).isEmptyDirectory();
    assertThat(
            api.execute(id, "find / -xdev -newer /tmp/since -type f" + " -not -path '/e/*'")
                .expect(200)
                .text("stdout"))
        .as("files that were made elsewhere")
        .isEmpty();
  }

  /** Byte for byte: no client would send some of these. */
  private String exchange(String method, String what, String path) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), sandglass.port())) {
      socket.setSoTimeout(Math.toIntExact(SOON.toMillis()));
      socket
          .getOutputStream()
          .write(
              """
              %s /v1/sandboxes/%s/%s?path=%s HTTP/1.1\r
              Host: x\r
              Authorization: Bearer %s\r
              Connection: close\r
              Content-Length: 3\r
              \r
              hit\
              """
                  .formatted(
                      method, id, what, path, sandglass.credentials().get("SANDGLASS_API_KEY"))
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream script = AbuseIT.class.getResourceAsStream(name)) {
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
