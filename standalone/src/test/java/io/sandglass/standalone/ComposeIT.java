package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A sandbox's life through docker-compose.yml: Kafka, PostgreSQL, api, engine and executor as
 * containers.
 */
class ComposeIT {
  @TempDir Path data;
  private Map<String, String> environment;

  @BeforeEach
  void up() throws Exception {
    String name = "it" + UUID.randomUUID().toString().substring(0, 8);
    environment =
        Map.of(
            "DATA",
            data.toString(),
            "PORT",
            Integer.toString(FreePort.next()),
            "COMPOSE_PROJECT_NAME",
            name,
            "SANDGLASS_NODE_ID",
            "node-" + name,
            "SANDGLASS_STATE",
            data.resolve("s").toString(),
            "SANDGLASS_JAVA_OPTIONS",
            String.join(" ", PartProcess.SHORT_LIVED));
    run("../bin/compose-up");
  }

  @AfterEach
  void down() throws Exception {
    run("../bin/compose", "down", "--volumes");
    Containers.removeAll(environment.get("SANDGLASS_NODE_ID"));
  }

  @Test
  void aSandboxIsCreatedRunsACommandAndIsDestroyed() throws Exception {
    Map<String, String> client = read(data.resolve("compose-client.env"));
    ApiClient api =
        new ApiClient(URI.create(client.get("SANDGLASS_URL")), client.get("SANDGLASS_API_KEY"));

    String mark = Canaries.mark();
    Canaries canaries = new Canaries();
    String secret = canaries.next();
    String input = canaries.next();
    String key = client.get("SANDGLASS_API_KEY");
    canaries.add(key.substring(key.length() - 59));
    String id =
        api.create(
            "{\"template\": \"python\", \"env\": {\"SECRET\": \"%s\"}, \"metadata\": {\"mark\": \"%s\"}}"
                .formatted(secret, mark));
    ApiClient.Answer answer =
        api.post(
                "/v1/sandboxes/" + id + "/execute",
                "{\"command\": \"echo $SECRET; cat; python3 -c 'print(6*7)'\", \"stdin\": \"%s\\n\"}"
                    .formatted(input),
                Map.of("Idempotency-Key", "once"))
            .expect(200);
    assertThat(answer.text("stdout")).isEqualTo(secret + "\n" + input + "\n42\n");

    assertLogsTellNothing(canaries);
    run(
        "../bin/compose",
        "up",
        "--detach",
        "--force-recreate",
        "--no-deps",
        "api",
        "engine",
        "executor");
    Awaitility.await("the services in new containers")
        .atMost(Duration.ofMinutes(3))
        .ignoreExceptions()
        .until(() -> api.get("/readyz").status() == 200);
    assertThat(api.execute(id, "echo again").expect(200).text("stdout")).isEqualTo("again\n");

    assertThat(api.events(id).toString()).contains(mark);
    assertNothingIsLeft(canaries, mark);
    freezesAndWakes(api);

    api.destroy(id);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              assertThat(api.events(id).findValuesAsText("type")).endsWith("SandboxEnded");
              assertThat(Containers.of(id)).isEmpty();
            });
  }

  /** By the host's control groups, which its container has to be given. */
  private static void freezesAndWakes(ApiClient api) throws IOException {
    String id = api.create("{\"template\": \"python\", \"mode\": \"persistent\"}");
    api.post("/v1/sandboxes/" + id + "/suspend", "").expect(200);
    Awaitility.await(id + " sleeps")
        .atMost(Duration.ofSeconds(60))
        .until(() -> api.events(id).findValuesAsText("type").contains("SandboxSuspended"));
    Containers.assertFrozen("sbx-" + id + "-1");
    assertThat(Containers.docker("ps", "--filter", "status=paused", "--format", "{{.Names}}"))
        .doesNotContain("sbx-" + id + "-1");
    assertThat(api.execute(id, "echo awake").expect(200).text("stdout")).isEqualTo("awake\n");
    api.destroy(id);
  }

  /**
   * Neither in what PostgreSQL, Kafka and the engine keep on disk, nor in what any of them says.
   */
  private void assertNothingIsLeft(Canaries canaries, String mark) throws IOException {
    String project = environment.get("COMPOSE_PROJECT_NAME");
    for (String volume : List.of("postgres", "kafka", "engine")) {
      Path files =
          Path.of(
              Containers.docker(
                      "volume", "inspect", "-f", "{{.Mountpoint}}", project + "_" + volume)
                  .getFirst());
      canaries.assertNoneBelow(files);
      if (!volume.equals("engine")) {
        assertThat(Canaries.found(files, mark)).as("what is no secret in %s", volume).isNotEmpty();
      }
    }
    canaries.assertNoneBelow(Path.of(environment.get("SANDGLASS_STATE")));
    assertLogsTellNothing(canaries);
  }

  private void assertLogsTellNothing(Canaries canaries) {
    String project = environment.get("COMPOSE_PROJECT_NAME");
    for (String container :
        Containers.docker("ps", "-q", "--filter", "label=com.docker.compose.project=" + project)) {
      canaries.assertNone(
          "the log of a container", String.join("\n", Containers.docker("logs", container)));
    }
  }

  private void run(String... command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), output).isZero();
  }

  private static Map<String, String> read(Path file) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .map(line -> line.split("=", 2))
          .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
    }
  }
}
