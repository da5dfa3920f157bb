package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

  private final Canaries canaries = new Canaries();

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
    String mark = Canaries.mark();
    String ofSandbox = canaries.next();
    String ofCommand = canaries.next();
    String ofInput = canaries.next();
    String ofMistake = canaries.next();
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
    canaries.assertNone(
        "docker inspect", String.join("\n", Containers.docker("inspect", container)));
    canaries.assertNone("the list of processes", processes());
    assertThat(processes()).contains("touch /tmp/began");
    canaries.assertNoneBelow(data);
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
      canaries.assertNone("a problem", answer.body().toString() + answer.headers());
    }
    String ran =
        api.post(
                "/v1/sandboxes/" + id + "/execute",
                "{\"command\":\"true\",\"env\":{\"A\":1},\"stdin\":\"" + ofMistake + "\"}")
            .body()
            .toString();
    canaries.assertNone("a problem", ran);
    canaries.assertNone(
        "the sandbox", api.get("/v1/sandboxes/" + id).expect(200).body().toString());
    canaries.assertNone("its history", api.events(id).toString());

    api.destroy(id);
    sandglass.stop();
    canaries.assertNoneBelow(data);
    assertThat(Canaries.found(data, mark))
        .as("what is no secret is found")
        .contains("kafka", "api");
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
}
