package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Files through the whole system: what goes in comes out, and nothing comes in by half. */
@ExtendWith(SharedSandglass.class)
class FilesIT {
  private static final int LIMIT = 104_857_600;
  private static final String CHUNK = "Transfer-Encoding: chunked\r\n\r\n200000\r\n";
  private static final Duration SOON = Duration.ofSeconds(30);

  /** Attempts to be led astray by a target that keeps changing. */
  private static final int RACES = Integer.getInteger("sandglass.races", 1_000);

  private static final String OUTSIDE = "untouched".repeat(11_111);
  private static final String OUTSIDE_SIZE = Integer.toString(OUTSIDE.length());

  private static SandglassProcess sandglass;
  private static ApiClient api;
  private static HttpClient http;
  private static String id;

  @BeforeAll
  static void start(SandglassProcess shared, ApiClient organization) {
    sandglass = shared;
    api = organization;
    http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  @BeforeEach
  void sandbox() {
    id = api.create("{\"template\": \"python\", \"timeout\": \"1h\"}");
  }

  @AfterEach
  void noSandbox() {
    api.destroy(id);
  }

  @AfterAll
  static void stop() {
    http.close();
  }

  private static HttpRequest.Builder request(String what, String path) {
    return HttpRequest.newBuilder(
            URI.create(
                sandglass.url()
                    + "/v1/sandboxes/"
                    + id
                    + "/"
                    + what
                    + "?path="
                    + URLEncoder.encode(path, StandardCharsets.UTF_8)))
        .timeout(Duration.ofMinutes(2))
        .header("Authorization", "Bearer " + api.key());
  }

  private static HttpResponse<byte[]> upload(String path, BodyPublisher content) {
    return send(request("upload", path).POST(content));
  }

  private static HttpResponse<byte[]> download(String path) {
    return send(request("download", path).GET());
  }

  private static HttpResponse<byte[]> send(HttpRequest.Builder request) {
    try {
      return http.send(request.build(), BodyHandlers.ofByteArray());
    } catch (IOException e) {
      throw new AssertionError("no answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static String code(HttpResponse<byte[]> answer) {
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
    String body = new String(answer.body(), StandardCharsets.UTF_8);
    return answer.statusCode() + " " + body.replaceAll("(?s).*\"code\" ?: ?\"([a-z_]+)\".*", "$1");
  }

  private static BodyPublisher chunked(byte[] content, int length) {
    return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(content, 0, length));
  }

  private static String run(String command) {
    JsonNode answer = api.execute(id, command).expect(200).body();
    assertThat(answer.get("exit_code").asInt()).as("%s", answer).isZero();
    return answer.get("stdout").asText();
  }

  private static JsonNode finished(String subject) {
    return Awaitility.await()
        .atMost(SOON)
        .until(
            () -> {
              JsonNode events = api.events(id);
              String execution =
                  StreamSupport.stream(events.spliterator(), false)
                      .filter(e -> e.path("data").path("subject").asText().equals(subject))
                      .reduce((_, last) -> last)
                      .orElseThrow()
                      .path("data")
                      .path("execution_id")
                      .asText();
              return StreamSupport.stream(events.spliterator(), false)
                  .filter(e -> e.get("type").asText().equals("ExecutionFinished"))
                  .map(e -> e.get("data"))
                  .filter(e -> e.path("execution_id").asText().equals(execution))
                  .findFirst()
                  .orElse(null);
            },
            data -> data != null);
  }

  @Test
  void aHundredMegabytesGoInAndOutAndNotAByteMore() throws Exception {
    byte[] content = new byte[LIMIT + 1];
    new Random(1).nextBytes(content);
    byte[] allowed = Arrays.copyOf(content, LIMIT);
    String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(allowed));

    assertThat(upload("/data/new/large", BodyPublishers.ofByteArray(allowed)).statusCode())
        .isEqualTo(204);
    assertThat(run("sha256sum /data/new/large")).startsWith(hash);
    assertThat(finished("/data/new/large").path("file_bytes").asLong()).isEqualTo(LIMIT);
    HttpResponse<byte[]> back = download("/data/new/large");
    assertThat(back.statusCode()).isEqualTo(200);
    assertThat(back.headers().firstValueAsLong("Content-Length")).hasValue(LIMIT);
    assertThat(Arrays.equals(back.body(), allowed)).isTrue();
    run("rm -r /data");

    assertThat(upload("/tmp/exact", chunked(content, LIMIT)).statusCode()).isEqualTo(204);
    assertThat(run("sha256sum /tmp/exact; rm /tmp/exact")).startsWith(hash);
    assertThat(code(upload("/data/new/large", BodyPublishers.ofByteArray(content))))
        .isEqualTo("400 file_too_large");
    assertThat(code(upload("/data/new/large", chunked(content, LIMIT + 1))))
        .isEqualTo("400 file_too_large");
    assertThat(run("ls -A / /tmp")).doesNotContain("data", "large", "upload");
  }

  @Test
  void aBrokenUploadLeavesNothing() throws Exception {
    run("mkdir /b; echo old > /b/file");
    for (String head : List.of("Content-Length: 5000000\r\n\r\n", CHUNK)) {
      for (String path :
          List.of("/b" + "/.".repeat(head.length()) + "/file", "/b/new/dir/" + head.length())) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), sandglass.port())) {
          OutputStream out = socket.getOutputStream();
          String target = "/v1/sandboxes/" + id + "/upload?path=" + path;
          String key = api.key();
          out.write(
              "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s"
                  .formatted(target, key, head)
                  .getBytes(StandardCharsets.US_ASCII));
          out.write(new byte[1_000_000]);
          out.flush();
          Awaitility.await().atMost(SOON).until(() -> begun(path));
        }
        assertThat(finished(path).path("failure").asText()).startsWith("aborted");
      }
      assertThat(run("cat /b/file; find /b | sort")).isEqualTo("old\n/b\n/b/file\n");
    }
  }

  private static boolean begun(String subject) {
    return StreamSupport.stream(api.events(id).spliterator(), false)
        .anyMatch(e -> e.path("data").path("subject").asText().equals(subject));
  }

  @Test
  void whatIsNoFileIsRefusedAtOnce() {
    run(
        "mkdir -p /k/dir; mkfifo /k/fifo; truncate -s 1T /dev/shm/sparse; echo x > /k/file;"
            + " ln -s loop /k/loop; ln -s /k/file /k/link; chmod 750 /k/file;"
            + " ln -s /dev/zero /k/zero; ln -s fifo /k/tofifo;"
            + " python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"/k/sock\")'");
    BodyPublisher content = BodyPublishers.ofString("content");
    for (String path :
        List.of(
            "/k/fifo",
            "/k/tofifo",
            "/k/dir",
            "/k/sock",
            "/dev/null",
            "/dev/tty",
            "/k/zero",
            "/k")) {
      assertThat(code(upload(path, content))).as(path).isEqualTo("400 not_a_file");
      assertThat(code(download(path))).as(path).isEqualTo("400 not_a_file");
    }
    for (String path : List.of("/k/loop", "/k/file/below", "/k/" + "n".repeat(256))) {
      assertThat(code(upload(path, content))).as(path).isEqualTo("400 invalid_path");
      assertThat(code(download(path))).as(path).isEqualTo("400 invalid_path");
    }
    for (String path : List.of("/", "/k/..", "/k/../etc/passwd", "k", "", "/k/dir/", "/k\0")) {
      assertThat(code(upload(path, content))).as(path).isEqualTo("400 invalid_request");
      assertThat(code(download(path))).as(path).isEqualTo("400 invalid_request");
    }
    assertThat(code(download("/k/none"))).isEqualTo("404 file_not_found");
    assertThat(code(download("/none/below"))).isEqualTo("404 file_not_found");
    assertThat(code(download("/dev/shm/sparse"))).isEqualTo("400 file_too_large");
    assertThat(code(upload("/proc/none", content))).startsWith("400 ");
    assertThat(code(upload("/.sandglass/x", content))).isEqualTo("400 path_not_permitted");
    assertThat(new String(download("/proc/self/status").body(), StandardCharsets.UTF_8))
        .contains("State:");
    assertThat(new String(download("/proc/1/environ").body(), StandardCharsets.UTF_8))
        .doesNotContain("SANDGLASS_TOKEN");
    assertThat(code(download("/proc/self/mem"))).startsWith("409 ");

    assertThat(upload("/k/link", content).statusCode()).isEqualTo(204);
    assertThat(run("cat /k/file; readlink /k/link; stat -c %a /k/file"))
        .isEqualTo("content/k/file\n750\n");
    assertThat(upload("/dev/shm/sparse", content).statusCode()).isEqualTo(204);
    assertThat(download("/dev/shm/sparse").body()).hasSize(7);
  }

  @Test
  void namesAreWhatTheyAre() {
    String name = "/n/ü 名前 🎏/%2e%2e+a&b=c?#\"'\\\n.txt";
    assertThat(upload(name, BodyPublishers.ofString("")).statusCode()).isEqualTo(204);
    assertThat(download(name).body()).isEmpty();
    String directory = name.substring(0, name.lastIndexOf('/'));
    JsonNode listing = list(directory, "").body();
    assertThat(listing.get("entries")).hasSize(1);
    JsonNode entry = listing.get("entries").get(0);
    assertThat(entry.get("name").asText()).isEqualTo(name.substring(directory.length() + 1));
    assertThat(entry.get("type").asText()).isEqualTo("file");
    assertThat(entry.get("mode").asText()).isEqualTo("0644");
    assertThat(entry.get("size").asLong()).isZero();
    assertThat(listing.get("next_cursor").isNull()).isTrue();
    String deep = "/n" + "/0123456789".repeat(372) + "/01";
    assertThat(deep.length()).isEqualTo(4097);
    assertThat(code(upload(deep, BodyPublishers.ofString("x")))).isEqualTo("400 invalid_request");
    String deepest = deep.substring(0, 4096);
    assertThat(upload(deepest, BodyPublishers.ofString("x")).statusCode()).isEqualTo(204);
    assertThat(download(deepest).body()).hasSize(1);
  }

  private static ApiClient.Answer list(String path, String more) {
    return api.get(
        "/v1/sandboxes/"
            + id
            + "/files?path="
            + URLEncoder.encode(path, StandardCharsets.UTF_8)
            + more);
  }

  @Test
  void aLargeDirectoryHasPages() {
    run("mkdir /l; cd /l; seq -w 0 2499 | xargs touch; ln -s /nowhere z; mkdir y; mkfifo x");
    int pages = 0;
    List<String> names = new ArrayList<>();
    String cursor = "";
    while (cursor != null) {
      JsonNode page = list("/l", cursor).expect(200).body();
      names.addAll(page.get("entries").findValuesAsText("name"));
      cursor =
          page.get("next_cursor").isNull() ? null : "&cursor=" + page.get("next_cursor").asText();
      pages++;
    }
    assertThat(pages).isEqualTo(3);
    assertThat(names).hasSize(2503).isSorted().doesNotHaveDuplicates();
    assertThat(list("/l", "&limit=2").expect(200).body().get("entries")).hasSize(2);
    assertThat(list("/l/0000", "").expect(400).text("code")).isEqualTo("not_a_directory");
    assertThat(list("/l/none", "").expect(404).text("code")).isEqualTo("file_not_found");
    assertThat(list("/", "").expect(200).body().get("entries").findValuesAsText("name"))
        .contains("etc", "l", "proc");
    assertThat(api.events(id).findValuesAsText("type")).contains("ActivityRecorded");
  }

  /** A link that leads out of a sandbox leads nowhere but back in: the host's file is not there. */
  @Test
  void aTargetThatKeepsChangingLeadsNowhereElse(@TempDir Path outside) throws Exception {
    Path canary = Files.writeString(outside.resolve("canary"), OUTSIDE);
    run(
        """
        mkdir -p /r/in && cd /r && cat > swap.py <<'E'
        import os, shutil, time
        def attempt(change, *arguments):
            try:
                change(*arguments)
            except OSError:
                pass
        while True:
            for target in ('%s', '../../../../../../..', 'in', None):
                attempt(os.unlink, 'x')
                shutil.rmtree('x', ignore_errors=True)
                if target:
                    attempt(os.symlink, target, 'x')
                else:
                    attempt(os.mkdir, 'x')
                    attempt(os.mkfifo, 'x/canary')
                time.sleep(0.0005)
        E
        (setsid python3 swap.py >/dev/null 2>/r/failed &)
        """
            .formatted(outside));
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> racers =
          IntStream.range(0, 4).mapToObj(racer -> threads.submit(() -> race(racer))).toList();
      int done = 0;
      for (Future<Integer> racer : racers) {
        done += racer.get();
      }
      assertThat(done).as("transfers that found a file").isBetween(1, RACES - 1);
    }
    assertThat(run("pkill -f [s]wap.py; cat /r/failed")).isEmpty();
    assertThat(canary).hasContent(OUTSIDE);
    try (var entries = Files.list(outside)) {
      assertThat(entries).containsExactly(canary);
    }
    assertThat(run("find / -xdev -name '.sandglass-upload*'")).isEmpty();
  }

  /** Uploads, downloads and listings in turn. */
  private static int race(int racer) {
    int done = 0;
    for (int i = racer; i < RACES; i += 4) {
      switch (i / 4 % 3) {
        case 0 -> {
          int status = upload("/r/x/canary", BodyPublishers.ofString("hit")).statusCode();
          assertThat(status).isIn(204, 400, 404, 409);
          done += status == 204 ? 1 : 0;
        }
        case 1 -> {
          HttpResponse<byte[]> answer = download("/r/x/canary");
          assertThat(answer.statusCode()).isIn(200, 400, 404, 409);
          if (answer.statusCode() == 200) {
            assertThat(new String(answer.body(), StandardCharsets.UTF_8)).isEqualTo("hit");
            done++;
          }
        }
        default -> {
          ApiClient.Answer answer = list("/r/x", "");
          assertThat(answer.status()).isIn(200, 400, 404, 409);
          // The one outside is longer than what is uploaded here.
          assertThat(answer.body().findValuesAsText("size")).doesNotContain(OUTSIDE_SIZE);
        }
      }
    }
    return done;
  }

  @Test
  void aDestroyedSandboxHasNoFilesAndATransferEndsWithIt() throws Exception {
    String other = api.create("{\"template\": \"base\"}");
    String url = sandglass.url() + "/v1/sandboxes/" + other;
    api.execute(other, "head -c 200000000 /dev/zero > /big").expect(200);
    HttpResponse<InputStream> slow =
        http.send(
            HttpRequest.newBuilder(URI.create(url + "/download?path=/big"))
                .header("Authorization", "Bearer " + api.key())
                .build(),
            BodyHandlers.ofInputStream());
    assertThat(slow.statusCode()).isEqualTo(200);
    api.destroy(other);
    Awaitility.await().atMost(SOON).until(() -> Containers.of(other).isEmpty());
    try (InputStream body = slow.body()) {
      assertThat(
              org.assertj.core.api.Assertions.catchThrowable(
                  () -> body.transferTo(OutputStream.nullOutputStream())))
          .isInstanceOf(IOException.class);
    }
    for (String what : List.of("download?path=/big", "files?path=/")) {
      assertThat(api.get("/v1/sandboxes/" + other + "/" + what).expect(409).text("code"))
          .isEqualTo("not_running");
    }
    api.post("/v1/sandboxes/" + other + "/upload?path=/f", "x").expect(409);
    api.get("/v1/sandboxes/sbx_00000000000000000000000000/files?path=/").expect(404);
  }
}
