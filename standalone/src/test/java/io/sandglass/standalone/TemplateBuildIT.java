package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sandglass.standalone.ApiClient.Answer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Templates that are built from Dockerfiles, through the whole system. */
@Timeout(180)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@ExtendWith(SharedSandglass.class)
class TemplateBuildIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BASE = "FROM sandglass/base:0.1.0\n";

  private static SandglassProcess sandglass;
  private static ApiClient api;

  @BeforeAll
  static void start(SandglassProcess shared, ApiClient organization) {
    sandglass = shared;
    api = organization;
  }

  private static Answer define(String name, String dockerfile) {
    ObjectNode body = JSON.createObjectNode().put("name", name).put("dockerfile", dockerfile);
    return api.post("/v1/templates", body.toString()).expect(201);
  }

  private static JsonNode await(String name, String state) {
    Awaitility.await(name + " is " + state)
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> read(name).path("state").asText().equals(state));
    return read(name);
  }

  private static JsonNode read(String name) {
    return api.get("/v1/templates/" + name).expect(200).body();
  }

  /** The log, line by line, as it comes. */
  private static BufferedReader follow(String name) throws Exception {
    HttpURLConnection connection =
        (HttpURLConnection)
            URI.create(sandglass.url() + "/v1/templates/" + name + "/logs")
                .toURL()
                .openConnection();
    connection.setRequestProperty("Authorization", "Bearer " + api.key());
    assertThat(connection.getResponseCode()).isEqualTo(200);
    return new BufferedReader(
        new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8));
  }

  private static String log(String name) throws Exception {
    try (BufferedReader log = follow(name)) {
      return String.join("\n", log.lines().toList());
    }
  }

  private static boolean isBuilding() {
    return !Containers.docker("ps", "-aq", "--filter", "name=sandglass-build-" + sandglass.nodeId())
        .isEmpty();
  }

  @Test
  @Order(1)
  void aSandboxStartsFromWhatWasBuilt() throws Exception {
    Answer defined =
        define(
            "tools",
            BASE
                + "ENV GREETING=\"hello there\"\n"
                + "WORKDIR /tools\n"
                + "RUN echo \"$GREETING\" > greeting \\\n  && echo made in $(pwd)\n");
    assertThat(api.post("/v1/sandboxes", "{\"template\":\"tools\"}").expect(409).text("code"))
        .isEqualTo("template_not_ready");

    await("tools", "ready");

    assertThat(log("tools"))
        .contains("[1] FROM sandglass/base:0.1.0", "made in /tools")
        .endsWith("Done.");
    String id = api.create("{\"template\": \"tools\"}");
    assertThat(api.execute(id, "cat greeting; echo $GREETING; pwd").expect(200).text("stdout"))
        .isEqualTo("hello there\nhello there\n/tools\n");
    assertThat(Containers.docker("images", "-q", defined.text("image"))).hasSize(1);

    // Nobody's sandbox goes with its template; the image goes with the last sandbox.
    api.delete("/v1/templates/tools").expect(204);
    assertThat(api.execute(id, "cat /tools/greeting").expect(200).text("stdout"))
        .isEqualTo("hello there\n");
    api.destroy(id);
    Awaitility.await("the image is removed")
        .atMost(Duration.ofSeconds(90))
        .until(() -> Containers.imagesOf(sandglass.nodeId()).isEmpty());
  }

  @Test
  @Order(2)
  void whatFailsSaysWhyAndCanBeDefinedAnew() throws Exception {
    define("broken", BASE + "RUN echo trying; exit 9\n");
    JsonNode failed = await("broken", "failed");
    assertThat(failed.path("build_error").asText())
        .isEqualTo("RUN echo trying; exit 9: exit code 9");
    assertThat(log("broken")).contains("\ntrying\n").endsWith("exit code 9");
    assertThat(api.post("/v1/sandboxes", "{\"template\":\"broken\"}").expect(409).text("code"))
        .isEqualTo("template_not_ready");

    api.delete("/v1/templates/broken").expect(204);
    define("broken", BASE + "COPY . /src\n");
    assertThat(await("broken", "failed").path("build_error").asText())
        .contains("line 2: COPY has nothing to copy: there is no build context");

    api.delete("/v1/templates/broken").expect(204);
    define("broken", "FROM nobody/has-this:1\nRUN true\n");
    assertThat(await("broken", "failed").path("build_error").asText())
        .contains("this node does not have the image nobody/has-this:1");
    api.delete("/v1/templates/broken").expect(204);
  }

  @Test
  @Order(3)
  void theLogIsStreamedAndABuildOutlivesItsExecutor() throws Exception {
    define("slow", BASE + "RUN echo first; sleep 3; echo second\nRUN echo third; sleep 8\n");
    await("slow", "building");
    try (BufferedReader log = follow("slow")) {
      String line = log.readLine();
      while (!"first".equals(line)) {
        assertThat(line).isNotNull();
        line = log.readLine();
      }
      // Its second line is not written yet: that is what live means.
      assertThat(read("slow").path("state").asText()).isEqualTo("building");
      while (!"third".equals(line)) {
        assertThat(line).isNotNull();
        line = log.readLine();
      }
    }
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(TemplateBuildIT::isBuilding);
    sandglass.kill();
    assertThat(isBuilding()).isTrue();

    sandglass.launch();
    sandglass.awaitReady();

    await("slow", "ready");
    assertThat(log("slow")).contains("first\nsecond\n").endsWith("Done.");
    assertThat(isBuilding()).isFalse();
    assertThat(Containers.imagesOf(sandglass.nodeId())).hasSize(1);
    String id = api.create("{\"template\": \"slow\"}");
    assertThat(api.execute(id, "echo works").expect(200).text("stdout")).isEqualTo("works\n");

    // And once more: what is built stays built.
    sandglass.kill();
    sandglass.launch();
    sandglass.awaitReady();
    await("slow", "ready");
    assertThat(log("slow")).endsWith("Done.");

    api.destroy(id);
    api.delete("/v1/templates/slow").expect(204);
    Awaitility.await("the image is removed")
        .atMost(Duration.ofSeconds(90))
        .until(() -> Containers.imagesOf(sandglass.nodeId()).isEmpty());
  }

  @Test
  @Order(4)
  void deletingEndsABuild() {
    define("endless", BASE + "RUN sleep 600\n");
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(TemplateBuildIT::isBuilding);

    assertThat(api.send("DELETE", "/v1/templates/endless", null, Map.of()).status()).isEqualTo(204);

    Awaitility.await("nothing is left of it")
        .atMost(Duration.ofSeconds(60))
        .until(() -> !isBuilding() && Containers.imagesOf(sandglass.nodeId()).isEmpty());
  }
}
