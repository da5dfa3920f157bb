package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Pool;
import io.sandglass.api.domain.TemplateBuild;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Templates over HTTP, with H2 and with a log in this process. */
final class TemplatesTest {
  private static InProcessLog log;
  private static RunningApi api;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
  }

  @BeforeEach
  void calm() {
    log.mood(InProcessLog.Mood.WORKING);
  }

  private static String fromImage(String name, String more) {
    return "{\"name\":\"%s\",\"image\":\"%s\"%s}".formatted(name, InProcessLog.IMAGE, more);
  }

  private static Answer define(String body) {
    Answer answer = api.post("/v1/templates", body);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(201);
    return answer;
  }

  private static void built(Answer template, TemplateBuild.State state, String error) {
    String image = template.text("image");
    log.built(
        new TemplateBuild(
            template.text("id"),
            "node-1",
            image.substring(image.indexOf(':') + 1),
            state,
            Optional.ofNullable(error),
            Instant.ofEpochMilli(System.currentTimeMillis())));
  }

  @Test
  void aDefinedTemplateIsThereByNameAndIdAndInTheList() {
    Answer defined =
        define(fromImage("by-name", ",\"description\":\"Tools\",\"warm\":2,\"env\":{\"B\":\"1\"}"));

    assertThat(defined.header("Location")).isEqualTo("/v1/templates/" + defined.text("id"));
    assertThat(defined.text("state")).isEqualTo("ready");
    for (String key : List.of("by-name", defined.text("id"))) {
      Answer read = api.get("/v1/templates/" + key);
      assertThat(read.body()).isEqualTo(defined.body());
      assertThat(read.text("description")).isEqualTo("Tools");
      assertThat(read.body().path("warm").asInt()).isEqualTo(2);
      assertThat(read.body().path("env").toString()).isEqualTo("[\"B\"]");
    }
    assertThat(api.get("/v1/templates").body().path("templates").findValuesAsText("name"))
        .startsWith("base", "python", "node")
        .contains("by-name");
  }

  @Test
  void itsDefaultsHoldUnlessTheRequestSaysOtherwise() {
    define(
        fromImage(
            "defaults",
            ",\"env\":{\"A\":\"canary-of-a-template\",\"B\":\"2\"},"
                + "\"egress\":{\"mode\":\"deny_all\"}"));

    Answer plain = api.post("/v1/sandboxes", "{\"template\":\"defaults\"}");
    assertThat(plain.status()).as("%s", plain.body()).isEqualTo(201);
    assertThat(plain.body().path("egress").toString()).isEqualTo("{\"mode\":\"deny_all\"}");
    assertThat(plain.body().path("env").toString()).isEqualTo("[\"A\",\"B\"]");
    assertThat(plain.text("template")).isEqualTo("defaults");

    Answer own =
        api.post(
            "/v1/sandboxes",
            "{\"template\":\"defaults\",\"env\":{\"C\":\"3\"},\"egress\":{\"mode\":\"allow_all\"}}");
    assertThat(own.body().path("egress").toString()).isEqualTo("{\"mode\":\"allow_all\"}");
    assertThat(own.body().path("env").toString()).isEqualTo("[\"A\",\"B\",\"C\"]");
    assertThat(log.received().toString() + log.templateRecords())
        .doesNotContain("canary-of-a-template");
    assertThat(log.received())
        .filteredOn(Command.Create.class::isInstance)
        .last()
        .asString()
        .contains(InProcessLog.IMAGE);
  }

  @Test
  void theAdministratorSeesWhatIsKeptReadyForWhom() {
    define(fromImage("kept-ready", ",\"warm\":3"));
    define(fromImage("not-kept-ready", ""));
    log.pools(
        new Pool("node-1", InProcessLog.IMAGE, 3, 1, 2, 30, 10),
        new Pool("node-1", "sandglass/python:0.1.0", 1, 0, 0, 0, 0));

    Answer pools =
        api.send(
            api.request("/v1/admin/pools")
                .header("Authorization", "Bearer " + RunningApi.ADMIN_KEY));

    assertThat(pools.status()).isEqualTo(200);
    JsonNode tools = pools.body().at("/pools/0");
    assertThat(tools.path("image").asText()).isEqualTo(InProcessLog.IMAGE);
    assertThat(tools.path("templates").findValuesAsText("name"))
        .contains("kept-ready")
        .doesNotContain("not-kept-ready", "python");
    assertThat(tools.at("/templates/0/organization_id").asText()).startsWith("org_");
    assertThat(tools.toString())
        .contains(
            "\"wanted\":3,\"ready\":1,\"starting\":2,\"hits\":30,\"misses\":10,\"hit_ratio\":0.75");
    JsonNode python = pools.body().at("/pools/1");
    assertThat(python.path("templates").toString())
        .isEqualTo("[{\"id\":\"tpl_python\",\"name\":\"python\",\"organization_id\":null}]");
    assertThat(python.path("hit_ratio").isNull()).isTrue();
    assertThat(api.get("/v1/admin/pools").text("code")).isEqualTo("insufficient_scope");
  }

  @Test
  void aNameIsTakenOnceAndNeverABuiltInOne() throws Exception {
    define(fromImage("taken", ""));

    Answer again = api.post("/v1/templates", fromImage("taken", ""));
    assertThat(again.status()).isEqualTo(409);
    assertThat(again.text("code")).isEqualTo("template_exists");
    assertThat(api.post("/v1/templates", fromImage("python", "")).text("code"))
        .isEqualTo("template_exists");
    assertThat(api.delete("/v1/templates/python").text("code")).isEqualTo("template_built_in");
    assertThat(api.delete("/v1/templates/tpl_python").status()).isEqualTo(409);

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Integer> one = () -> api.post("/v1/templates", fromImage("raced", "")).status();
      List<Integer> statuses =
          threads.invokeAll(List.of(one, one, one, one)).stream()
              .map(Future::resultNow)
              .sorted()
              .toList();
      assertThat(statuses).containsExactly(201, 409, 409, 409);
    }
  }

  @Test
  void aRepetitionGetsTheSameTemplate() {
    Answer first = api.post("/v1/templates", fromImage("once", ""), "Idempotency-Key", "t1");
    Answer again = api.post("/v1/templates", fromImage("once", ""), "Idempotency-Key", "t1");

    assertThat(first.status()).isEqualTo(201);
    assertThat(again.status()).isEqualTo(201);
    assertThat(again.body()).isEqualTo(first.body());
  }

  @Test
  void deletingLeavesItsSandboxesAndFreesTheName() {
    Answer first = define(fromImage("short-lived", ""));
    String sandbox = api.post("/v1/sandboxes", "{\"template\":\"short-lived\"}").text("id");

    assertThat(api.delete("/v1/templates/short-lived").status()).isEqualTo(204);

    assertThat(api.get("/v1/templates/" + first.text("id")).status()).isEqualTo(404);
    assertThat(api.delete("/v1/templates/short-lived").status()).isEqualTo(404);
    assertThat(api.post("/v1/sandboxes", "{\"template\":\"short-lived\"}").status()).isEqualTo(404);
    assertThat(api.get("/v1/sandboxes/" + sandbox).text("status")).isEqualTo("running");
    assertThat(define(fromImage("short-lived", "")).text("id")).isEqualTo(first.text("id"));
  }

  @Test
  void aBuildIsFollowedFromPendingToItsEnd() throws Exception {
    Answer defined =
        define("{\"name\":\"built\",\"dockerfile\":\"FROM example/tool:1\\nRUN true\"}");
    assertThat(defined.text("state")).isEqualTo("pending");
    assertThat(defined.text("dockerfile")).isEqualTo("FROM example/tool:1\nRUN true");
    assertThat(api.get("/v1/templates/built/logs").text("code")).isEqualTo("build_log_not_found");

    built(defined, TemplateBuild.State.BUILDING, null);
    assertThat(api.get("/v1/templates/built").text("state")).isEqualTo("building");
    Answer early = api.post("/v1/sandboxes", "{\"template\":\"built\"}");
    assertThat(early.status()).isEqualTo(409);
    assertThat(early.text("code")).isEqualTo("template_not_ready");

    HttpServer node =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    node.createContext(
        "/builds/",
        exchange -> {
          byte[] text = exchange.getRequestURI().toString().getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, text.length);
          exchange.getResponseBody().write(text);
          exchange.close();
        });
    node.start();
    try {
      log.dataPlane(URI.create("http://127.0.0.1:" + node.getAddress().getPort()));
      Answer read = api.get("/v1/templates/built/logs?follow=false");
      assertThat(read.header("Content-Type")).startsWith("text/plain");
      assertThat(read.response().body()).matches("/builds/tpr_[0-9a-z]+/log\\?follow=false");
    } finally {
      node.stop(0);
    }
    assertThat(api.get("/v1/templates/built/logs").text("code")).isEqualTo("node_unavailable");

    built(defined, TemplateBuild.State.FAILED, "RUN true: exit code 1");
    Answer failed = api.get("/v1/templates/built");
    assertThat(failed.text("state")).isEqualTo("failed");
    assertThat(failed.text("build_error")).isEqualTo("RUN true: exit code 1");
  }

  @Test
  void templatesOfOthersAreNotThere() {
    Answer mine = define(fromImage("private", ""));
    String other = api.bootstrap().newKey(organization("others"), "tests").apiKey();

    for (String key : List.of("private", mine.text("id"))) {
      assertThat(
              api.send(
                      api.request("/v1/templates/" + key)
                          .header("Authorization", "Bearer " + other)
                          .GET())
                  .status())
          .isEqualTo(404);
    }
  }

  private static String organization(String name) {
    return api.send(
            api.request("/v1/admin/organizations")
                .header("Authorization", "Bearer " + RunningApi.ADMIN_KEY)
                .header("Content-Type", "application/json")
                .POST(
                    java.net.http.HttpRequest.BodyPublishers.ofString(
                        "{\"name\":\"" + name + "\"}")))
        .text("id");
  }

  @Test
  void whatIsWrongIsSaid() {
    for (String body :
        List.of(
            "{\"name\":\"a\"}",
            "{\"name\":\"a\",\"image\":\"x\",\"dockerfile\":\"FROM x\"}",
            "{\"name\":\"A b\",\"image\":\"x\"}",
            "{\"name\":\"tpl_a\",\"image\":\"x\"}",
            "{\"name\":\"a\",\"image\":\"no such reference\"}",
            "{\"name\":\"a\",\"image\":\"sandglass-template/tpl_1:tpr_1\"}",
            "{\"name\":\"a\",\"image\":\"x\",\"warm\":101}",
            "{\"name\":\"a\",\"image\":\"x\",\"env\":{\"1\":\"\"}}",
            "{\"name\":\"a\",\"image\":\"x\",\"egress\":{\"mode\":\"open\"}}",
            "{\"name\":\"a\",\"dockerfile\":\" \"}")) {
      Answer answer = api.post("/v1/templates", body);
      assertThat(answer.status()).as(body).isEqualTo(400);
      assertThat(answer.body().path("errors")).as(body).isNotEmpty();
    }
  }

  @Test
  void withoutTheLogNothingIsDefined() {
    log.mood(InProcessLog.Mood.DOWN);
    assertThat(api.post("/v1/templates", fromImage("lost", "")).status()).isEqualTo(503);
    log.mood(InProcessLog.Mood.WORKING);
    assertThat(api.get("/v1/templates/lost").status()).isEqualTo(404);
  }
}
