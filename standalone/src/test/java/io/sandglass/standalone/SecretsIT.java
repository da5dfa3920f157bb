package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Values that only the sandbox and its user may know are used, and then looked for wherever they
 * could have been left: Kafka's files, the database's, the engine's state, the executor's
 * directory, the log output, Docker's description of the container, the host's list of processes
 * and what the API says of a mistake.
 */
class SecretsIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path data;
  private static SandglassProcess sandglass;

  private final List<String> canaries = new ArrayList<>();

  @BeforeAll
  static void start() {
    sandglass = SandglassProcess.start(data);
  }

  @AfterAll
  static void stop() {
    sandglass.close();
  }

  @Test
  void secretsAreLeftNowhere() throws Exception {
    ApiClient api = sandglass.client();
    String mark = canary();
    canaries.clear(); // this one is to be found: it proves that looking works
    String ofSandbox = canary();
    String ofCommand = canary();
    String ofInput = canary();
    String ofMistake = canary();
    String key = sandglass.credentials().get("SANDGLASS_API_KEY");
    canaries.add(key.substring(key.length() - 59));
    canaries.add(sandglass.credentials().get("SANDGLASS_ADMIN_KEY"));

    var create = JSON.createObjectNode().put("template", "base").put("timeout", "10m");
    create.putObject("env").put("SECRET_OF_SANDBOX", ofSandbox);
    create.putObject("metadata").put("mark", mark);
    String id = api.create(create.toString());
    assertThat(runs(id, "echo $SECRET_OF_SANDBOX $SECRET_OF_COMMAND; cat", ofCommand, ofInput))
        .isEqualTo(ofSandbox + " " + ofCommand + "\n" + ofInput);

    CompletableFuture<String> atWork =
        CompletableFuture.supplyAsync(
            () ->
                runs(
                    id,
                    "touch /tmp/began; while [ ! -e /tmp/go ]; do sleep 0.1; done; cat",
                    ofCommand,
                    ofInput));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> runs(id, "ls /tmp", ofCommand, "").contains("began"));
    String container = Containers.of(id).getFirst();
    assertNone("docker inspect", String.join("\n", Containers.docker("inspect", container)));
    assertNone("the list of processes", processes());
    assertThat(processes()).contains("touch /tmp/began");
    lookThroughFiles();
    assertThat(runs(id, "touch /tmp/go", ofCommand, "")).isEmpty();
    assertThat(atWork.join()).isEqualTo(ofInput);

    for (String body :
        List.of(
            "{\"template\":\"none\",\"env\":{\"A\":\"" + ofMistake + "\"}}",
            "{\"template\":\"base\",\"env\":{\"A B\":\"" + ofMistake + "\"}}",
            "{\"template\":\"base\",\"env\":{\"A\":\"" + ofMistake + "\\u0000\"}}",
            "{\"template\":\"base\",\"env\":{\"A\":[\"" + ofMistake + "\"]}}",
            "{\"template\":\"base\",\"env\":\"" + ofMistake + "\"}",
            "{\"template\":\"base\",\"env\":{\"A\":\"" + ofMistake + "\"}",
            "{\"template\":\"base\",\"env\":{\"A\":\"" + ofMistake + "\"},\"mode\":\"x\"}")) {
      ApiClient.Answer answer = api.post("/v1/sandboxes", body);
      assertThat(answer.status()).isIn(400, 404);
      assertNone("a problem", answer.body().toString() + answer.headers());
    }
    String ran =
        api.post(
                "/v1/sandboxes/" + id + "/execute",
                "{\"command\":\"true\",\"env\":{\"A\":1},\"stdin\":\"" + ofMistake + "\"}")
            .body()
            .toString();
    assertNone("a problem", ran);
    assertNone("the sandbox", api.get("/v1/sandboxes/" + id).expect(200).body().toString());
    assertNone("its history", api.events(id).toString());

    api.delete("/v1/sandboxes/" + id).expect(204);
    sandglass.stop();
    lookThroughFiles();
    assertThat(found(mark)).as("what is no secret is found").contains("kafka", "api");
  }

  private String canary() {
    byte[] bytes = new byte[15];
    new SecureRandom().nextBytes(bytes);
    String canary = "canary" + HexFormat.of().formatHex(bytes);
    canaries.add(canary);
    return canary;
  }

  private static String runs(String id, String command, String secret, String input) {
    var body = JSON.createObjectNode().put("command", command).put("stdin", input);
    body.putObject("env").put("SECRET_OF_COMMAND", secret);
    return sandglass
        .client()
        .post("/v1/sandboxes/" + id + "/execute", body.toString())
        .expect(200)
        .text("stdout");
  }

  private static String processes() throws IOException {
    Process ps = new ProcessBuilder("ps", "axww", "-o", "args").start();
    return new String(ps.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private void lookThroughFiles() throws IOException {
    for (Path file : files()) {
      assertNone(file.toString(), content(file));
    }
  }

  /** The directories of the data directory in whose files the text is. */
  private static Set<String> found(String text) throws IOException {
    return files().stream()
        .filter(file -> content(file).contains(text))
        .map(file -> data.relativize(file).getName(0).toString())
        .collect(Collectors.toSet());
  }

  /** All but the file for the user, and Kafka's indexes, which are large and hold numbers. */
  private static List<Path> files() throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        data,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = file.getFileName().toString();
            if (attributes.isRegularFile()
                && !name.equals("sandglass.env")
                && !name.endsWith("index")) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE; // gone meanwhile
          }
        });
    return files;
  }

  /** Byte for byte; nothing of a file that is gone meanwhile. */
  private static String content(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void assertNone(String where, String text) {
    for (String canary : canaries) {
      forms(canary)
          .forEach(
              (form, spelled) ->
                  assertThat(text.contains(spelled))
                      .as("%s holds a secret, %s", where, form)
                      .isFalse());
    }
  }

  private static Map<String, String> forms(String canary) {
    byte[] bytes = canary.getBytes(StandardCharsets.UTF_8);
    String hex = HexFormat.of().formatHex(bytes);
    return Map.of(
        "plain", canary,
        "reversed", new StringBuilder(canary).reverse().toString(),
        "in UTF-16",
            new String(canary.getBytes(StandardCharsets.UTF_16LE), StandardCharsets.ISO_8859_1),
        "in hexadecimal", hex,
        "in capital hexadecimal", hex.toUpperCase(Locale.ROOT),
        "in base64", base64(bytes, 0),
        "in base64, after one byte", base64(bytes, 1),
        "in base64, after two bytes", base64(bytes, 2));
  }

  /** What base64 makes of the bytes behind others, without the characters that depend on those. */
  private static String base64(byte[] bytes, int behind) {
    byte[] all = new byte[behind + bytes.length];
    System.arraycopy(bytes, 0, all, behind, bytes.length);
    String text = Base64.getEncoder().withoutPadding().encodeToString(all);
    return text.substring(behind == 0 ? 0 : behind + 1, text.length() - 1);
  }
}
