package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The life of sandboxes over HTTP, with H2 and with a log in this process. */
final class ApiTest {
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
    log.engine().startSandboxes(true);
  }

  private static String create(String body) {
    Answer answer = api.post("/v1/sandboxes", body);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(201);
    return answer.text("id");
  }

  @Test
  void aSandboxHasDefaultsAndIsReadable() {
    Answer created = api.post("/v1/sandboxes", "{\"template\":\"python\"}");

    assertThat(created.status()).isEqualTo(201);
    assertThat(created.header("Location")).isEqualTo("/v1/sandboxes/" + created.text("id"));
    assertThat(created.text("id")).matches("sbx_[0-9a-z]{26}");
    assertThat(created.text("mode")).isEqualTo("ephemeral");
    assertThat(created.text("size")).isEqualTo("shared-cpu-1x");
    assertThat(created.body().path("egress").toString()).isEqualTo("{\"mode\":\"allow_all\"}");
    assertThat(created.text("created_at")).matches("....-..-..T..:..:..\\....Z");
    assertThat(
            Duration.between(
                Instant.parse(created.text("created_at")),
                Instant.parse(created.text("expires_at"))))
        .isBetween(Duration.ofSeconds(299), Duration.ofSeconds(301));
    assertThat(created.body().has("idle_timeout")).isFalse();
    assertThat(created.body().path("suspended_at").isNull()).isTrue();
    assertThat(api.get("/v1/sandboxes/" + created.text("id")).status()).isEqualTo(200);
  }

  @Test
  void aPersistentOneRestsAndDoesNotExpire() {
    Answer created =
        api.post(
            "/v1/sandboxes",
            "{\"template\":\"base\",\"mode\":\"persistent\",\"idle_timeout\":\"1h30m\"}");

    assertThat(created.text("idle_timeout")).isEqualTo("1h30m");
    assertThat(created.body().has("expires_at")).isFalse();
    Answer kept = api.post("/v1/sandboxes/" + created.text("id") + "/keepalive", "{}");
    assertThat(kept.status()).isEqualTo(409);
    assertThat(kept.text("code")).isEqualTo("not_ephemeral");
  }

  @Test
  void environmentIsNamedButNeverShown() {
    Answer created =
        api.post(
            "/v1/sandboxes", "{\"template\":\"base\",\"env\":{\"B\":\"canary-1\",\"A\":\"\"}}");

    assertThat(created.body().path("env").toString()).isEqualTo("[\"A\",\"B\"]");
    String history = api.get("/v1/sandboxes/" + created.text("id") + "/events").response().body();
    assertThat(history).contains("\"env\":[\"A\",\"B\"]").doesNotContain("canary-1");
    assertThat(log.received().toString()).doesNotContain("canary-1");
  }

  @Test
  void destroyIsIdempotentAndLeavesItsHistory() {
    String id = create("{\"template\":\"base\"}");

    assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);
    assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);

    Answer gone = api.get("/v1/sandboxes/" + id);
    assertThat(gone.text("status")).isEqualTo("destroyed");
    assertThat(gone.text("reason")).isEqualTo("requested");
    assertThat(gone.text("destroyed_at")).isNotNull();
    Answer history = api.get("/v1/sandboxes/" + id + "/events");
    assertThat(history.body().path("events").findValuesAsText("type"))
        .containsExactly("SandboxRequested", "SandboxStarted", "StopRequested", "SandboxEnded");
    assertThat(
            api.get("/v1/sandboxes/" + id + "/events?after=2&limit=1")
                .body()
                .path("events")
                .findValuesAsText("version"))
        .containsExactly("3");
  }

  @Test
  void destroyReachesASandboxThatTheProjectionDoesNotShowYet() {
    log.mood(InProcessLog.Mood.SLOW);
    Answer pending = api.post("/v1/sandboxes", "{\"template\":\"base\"}");
    assertThat(pending.status()).isEqualTo(202);
    assertThat(pending.header("Location")).isEqualTo("/v1/commands/" + pending.text("id"));
    assertThat(api.get(pending.header("Location")).text("status")).isEqualTo("pending");
    Answer destroying = api.delete("/v1/sandboxes/" + pending.text("sandbox_id"));
    assertThat(destroying.status()).isEqualTo(202);

    log.decideNow();

    assertThat(api.get(pending.header("Location")).text("status")).isEqualTo("accepted");
    assertThat(api.get("/v1/sandboxes/" + pending.text("sandbox_id")).text("status"))
        .isEqualTo("destroyed");
  }

  @Test
  void keepaliveMovesTheEndAndIsClamped() {
    String id = create("{\"template\":\"base\",\"timeout\":\"30s\"}");

    Answer kept = api.post("/v1/sandboxes/" + id + "/keepalive", "{\"timeout\":\"100h\"}");

    assertThat(kept.status()).isEqualTo(200);
    assertThat(Duration.between(Instant.now(), Instant.parse(kept.text("expires_at"))))
        .isBetween(Duration.ofHours(23), Duration.ofHours(24));
    Answer own =
        api.send(
            api.authorized("/v1/sandboxes/" + id + "/keepalive").POST(BodyPublishers.noBody()));
    assertThat(own.status()).isEqualTo(200);
    assertThat(Duration.between(Instant.now(), Instant.parse(own.text("expires_at"))))
        .isLessThanOrEqualTo(Duration.ofSeconds(30));
  }

  @Test
  void theEgressPolicyOfALiveSandboxIsReplaced() {
    String id = create("{\"template\":\"base\"}");
    String policy =
        "{\"mode\":\"deny_all\",\"allow_cidrs\":[\"203.0.113.128/25\"],\"allow_ports\":[443]}";

    Answer changed = api.put("/v1/sandboxes/" + id + "/egress", policy);

    assertThat(changed.status()).isEqualTo(200);
    assertThat(changed.body().path("egress").toString()).isEqualTo(policy);
    assertThat(api.get("/v1/sandboxes/" + id).body().path("egress").toString()).isEqualTo(policy);
    assertThat(api.get("/v1/sandboxes/" + id + "/events").body().findValuesAsText("type"))
        .endsWith("EgressChanged");

    assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);
    Answer late = api.put("/v1/sandboxes/" + id + "/egress", "{\"mode\":\"allow_all\"}");
    assertThat(late.status()).isEqualTo(409);
    assertThat(late.text("code")).isEqualTo("not_running");
  }

  @Test
  void preferWaitAnswersWhenItRuns() {
    log.engine().startSandboxes(false);
    CompletableFuture<Answer> waiting =
        CompletableFuture.supplyAsync(
            () ->
                api.post(
                    "/v1/sandboxes",
                    "{\"template\":\"base\",\"metadata\":{\"test\":\"prefer\"}}",
                    "Prefer",
                    "respond-async, wait=60"));
    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                api.get("/v1/sandboxes?metadata.test=prefer").body().path("sandboxes").size() == 1);
    assertThat(waiting).isNotDone();
    String id = api.get("/v1/sandboxes?metadata.test=prefer").body().at("/sandboxes/0/id").asText();

    log.happened(log.engine().started(id));

    Answer answer = waiting.join();
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.text("status")).isEqualTo("running");
    assertThat(answer.header("Preference-Applied")).isEqualTo("wait=60");
  }

  @Test
  void preferWaitEndsInTimeWithTheStateAsItIs() {
    log.engine().startSandboxes(false);

    Answer answer = api.post("/v1/sandboxes", "{\"template\":\"base\"}", "Prefer", "wait=1");

    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.text("status")).isEqualTo("creating");
  }

  @Test
  void listsFilterAndPageWithoutLossOrRepetition() {
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      made.add(
          create("{\"template\":\"node\",\"metadata\":{\"run\":\"pages\",\"i\":\"" + i + "\"}}"));
    }
    String query = "/v1/sandboxes?metadata.run=pages&limit=3";
    List<String> seen = new ArrayList<>();
    Answer page = api.get(query);
    while (true) {
      seen.addAll(page.body().path("sandboxes").findValuesAsText("id"));
      if (page.body().path("next_cursor").isNull()) {
        break;
      }
      // What is created meanwhile is newer than the cursor and moves nothing.
      var _ = create("{\"template\":\"node\",\"metadata\":{\"run\":\"pages\"}}");
      page = api.get(query + "&cursor=" + page.text("next_cursor"));
    }
    assertThat(seen).containsExactlyInAnyOrderElementsOf(made).doesNotHaveDuplicates();

    assertThat(ids("/v1/sandboxes?metadata.run=pages&metadata.i=3")).containsExactly(made.get(3));
    assertThat(ids("/v1/sandboxes?metadata.run=pages&template=python")).isEmpty();
    assertThat(api.delete("/v1/sandboxes/" + made.get(0)).status()).isEqualTo(204);
    assertThat(ids("/v1/sandboxes?metadata.i=0")).isEmpty();
    assertThat(ids("/v1/sandboxes?metadata.i=0&status=destroyed&status=running"))
        .containsExactly(made.get(0));
  }

  private static Set<String> ids(String query) {
    Answer answer = api.get(query);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return new HashSet<>(answer.body().path("sandboxes").findValuesAsText("id"));
  }

  @Test
  void anotherOrganizationsSandboxIsForbiddenAndUntouched() {
    String foreign = api.bootstrap().newKey(organization("foreign"), "foreign").apiKey();
    String id = create("{\"template\":\"base\"}");
    JsonNode before = api.get("/v1/sandboxes/" + id).body();
    List<Command> commands = List.copyOf(log.received());

    for (var request :
        List.of(
            api.request("/v1/sandboxes/" + id).GET(),
            api.request("/v1/sandboxes/" + id).DELETE(),
            api.request("/v1/sandboxes/" + id + "/events").GET(),
            api.request("/v1/sandboxes/" + id + "/keepalive")
                .POST(BodyPublishers.ofString("{}"))
                .header("Content-Type", "application/json"),
            api.request("/v1/sandboxes/" + id + "/egress")
                .PUT(BodyPublishers.ofString("{\"mode\":\"deny_all\"}"))
                .header("Content-Type", "application/json"),
            api.request("/v1/sandboxes/" + id + "/execute")
                .POST(BodyPublishers.ofString("{\"command\":\"id\"}"))
                .header("Content-Type", "application/json"))) {
      Answer answer = api.send(request.header("Authorization", "Bearer " + foreign));
      assertThat(answer.status()).isEqualTo(403);
      assertThat(answer.text("code")).isEqualTo("foreign_organization");
    }
    assertThat(api.get("/v1/sandboxes/" + id).body())
        .isEqualTo(((ObjectNode) before).put("version", before.path("version").asInt() + 6));
    assertThat(log.received())
        .filteredOn(command -> !commands.contains(command))
        .hasSize(6)
        .allMatch(Command.NoteRefusal.class::isInstance);
    assertThat(
            api.send(
                    api.request("/v1/sandboxes?limit=1000")
                        .header("Authorization", "Bearer " + foreign)
                        .GET())
                .response()
                .body())
        .doesNotContain(id);
  }

  @Test
  void unknownSandboxesAreNotFound() {
    for (String id : List.of("sbx_00000000000000000000000000", "nonsense", "sbx_")) {
      assertThat(api.get("/v1/sandboxes/" + id).text("code")).isEqualTo("sandbox_not_found");
      assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(404);
      assertThat(api.post("/v1/sandboxes/" + id + "/keepalive", "{}").status()).isEqualTo(404);
      assertThat(api.get("/v1/sandboxes/" + id + "/events").status()).isEqualTo(404);
      assertThat(api.post("/v1/sandboxes/" + id + "/execute", "{\"command\":\"id\"}").text("code"))
          .isEqualTo("sandbox_not_found");
    }
    assertThat(api.get("/v1/commands/cmd_x").text("code")).isEqualTo("command_not_found");
  }

  @Test
  void templatesAreBuiltInOrImagesThatANodeHas() {
    assertThat(create("{\"template\":\"tpl_python\"}")).isNotNull();
    assertThat(create("{\"template\":\"" + InProcessLog.IMAGE + "\"}")).isNotNull();
    Answer unknown = api.post("/v1/sandboxes", "{\"template\":\"example/none:1\"}");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.text("code")).isEqualTo("template_not_found");
    assertThat(api.get("/v1/templates/" + InProcessLog.IMAGE).text("state")).isEqualTo("ready");
    assertThat(api.get("/v1/templates").body().path("templates").findValuesAsText("name"))
        .containsExactly("base", "python", "node");
    assertThat(api.get("/v1/sizes").body().path("sizes")).hasSize(7);
  }

  @Test
  void theDocumentAndThePageThatShowsItAreServed() throws IOException {
    Answer document = api.get("/openapi.yaml");
    assertThat(document.response().body()).isEqualTo(Files.readString(Path.of("openapi.yaml")));
    assertThat(document.header("Content-Type")).isEqualTo("application/yaml");

    Answer page = api.get("/docs");
    assertThat(page.header("Content-Type")).startsWith("text/html");
    List<String> parts =
        Pattern.compile("(?:src|href)=\"([^\"]+)\"")
            .matcher(page.response().body())
            .results()
            .map(part -> part.group(1))
            .toList();
    assertThat(parts)
        .hasSize(5)
        .allSatisfy(part -> assertThat(api.get(part).status()).as(part).isEqualTo(200));
  }

  @Test
  void kafkaDownIsTold() {
    log.mood(InProcessLog.Mood.DOWN);

    Answer answer = api.post("/v1/sandboxes", "{\"template\":\"base\"}");

    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.text("code")).isEqualTo("log_unavailable");
    assertThat(answer.header("Retry-After")).isNotNull();
    assertThat(api.get("/readyz").status()).isEqualTo(503);
    assertThat(api.get("/readyz").text("detail")).contains("outcomes");
    assertThat(api.get("/healthz").status()).isEqualTo(200);
  }

  @Test
  void theSameKeyCreatesOnce() {
    String body = "{\"template\":\"base\",\"metadata\":{\"a\":\"1\",\"b\":\"2\"}}";
    Answer first = api.post("/v1/sandboxes", body, "Idempotency-Key", "once");
    Answer again =
        api.post(
            "/v1/sandboxes",
            "{ \"metadata\":{\"b\":\"2\",\"a\":\"1\"}, \"template\":\"base\"}",
            "Idempotency-Key",
            "once");
    Answer other = api.post("/v1/sandboxes", "{\"template\":\"node\"}", "Idempotency-Key", "once");

    assertThat(again.status()).isEqualTo(201);
    assertThat(again.response().body()).isEqualTo(first.response().body());
    assertThat(again.header("Location")).isEqualTo(first.header("Location"));
    assertThat(again.header("Idempotency-Replayed")).isEqualTo("true");
    assertThat(other.status()).isEqualTo(422);
    assertThat(other.text("code")).isEqualTo("idempotency_conflict");
    assertThat(
            log.received().stream()
                .filter(Command.Create.class::isInstance)
                .filter(command -> command.header().sandboxId().equals(first.text("id"))))
        .hasSize(1);
  }

  @Test
  void anAnswerLostOnTheWayIsFoundAgain() {
    log.mood(InProcessLog.Mood.SLOW);
    String body = "{\"template\":\"base\",\"env\":{\"A\":\"b\"}}";
    Answer lost = api.post("/v1/sandboxes", body, "Idempotency-Key", "lost");
    assertThat(lost.status()).isEqualTo(202);
    log.mood(InProcessLog.Mood.WORKING);
    log.decideNow();

    Answer found = api.post("/v1/sandboxes", body, "Idempotency-Key", "lost");

    assertThat(found.status()).isEqualTo(201);
    assertThat(found.text("id")).isEqualTo(lost.text("sandbox_id"));
  }

  @Test
  void keysAreManagedByTheAdministratorAlone() {
    String keys = "/v1/admin/organizations/" + organization("managed") + "/keys";
    Answer made = admin("POST", keys, "{\"name\":\"ci\",\"scopes\":[\"sandboxes:read\"]}");
    assertThat(made.status()).isEqualTo(201);
    assertThat(made.body().path("scopes").toString()).isEqualTo("[\"sandboxes:read\"]");
    assertThat(made.body().path("expires_at").isNull()).isTrue();
    String token = made.text("key");

    assertThat(bearer(token, "/v1/sandboxes").status()).isEqualTo(200);
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> admin("GET", keys, null).body().at("/keys/0/last_used_at").isTextual());
    assertThat(admin("GET", keys, null).response().body())
        .contains(made.text("id"))
        .doesNotContain(token);
    assertThat(admin("DELETE", keys + "/" + made.text("id"), null).status()).isEqualTo(204);
    assertThat(bearer(token, "/v1/sandboxes").status()).isEqualTo(401);
    assertThat(admin("GET", "/v1/admin/organizations/org_none/keys", null).text("code"))
        .isEqualTo("organization_not_found");
  }

  @Test
  void aKeyWithTheScopeAdminManagesTheInstallation() {
    String org = organization("managing");
    Answer made =
        admin(
            "POST",
            "/v1/admin/organizations/" + org + "/keys",
            "{\"name\":\"ops\",\"scopes\":[\"admin\"]}");

    assertThat(bearer(made.text("key"), "/v1/admin/organizations").status()).isEqualTo(200);
    assertThat(bearer(made.text("key"), "/v1/sandboxes").text("code"))
        .isEqualTo("insufficient_scope");
  }

  @Test
  void whatAKeyIsMadeOfIsChecked() {
    String keys = "/v1/admin/organizations/" + organization("checked") + "/keys";
    for (String body :
        List.of(
            "{\"name\":\"a\",\"scopes\":[]}",
            "{\"name\":\"a\",\"scopes\":[\"read\"]}",
            "{\"name\":\"a\",\"scopes\":[null]}",
            "{\"name\":\"a\",\"expires_at\":\"2020-01-01T00:00:00Z\"}",
            "{\"name\":\"a\",\"expires_at\":\"tomorrow\"}",
            "{\"name\":\"\"}")) {
      assertThat(admin("POST", keys, body).text("code")).as(body).isEqualTo("invalid_request");
    }
    Answer all = admin("POST", keys, "{\"name\":\"a\",\"expires_at\":\"2999-01-01T00:00:00Z\"}");
    assertThat(all.body().path("scopes").toString())
        .isEqualTo("[\"sandboxes:read\",\"sandboxes:write\",\"usage:read\"]");
    assertThat(all.text("expires_at")).isEqualTo("2999-01-01T00:00:00.000Z");
  }

  @Test
  void aKeysSecretIsRepeatedToTheSameRequestOnly() {
    String path = "/v1/admin/organizations/" + organization("repeated") + "/keys";
    Answer first = admin("POST", path, "{\"name\":\"ci\"}", "Idempotency-Key", "key-1");
    Answer again = admin("POST", path, "{\"name\":\"ci\"}", "Idempotency-Key", "key-1");

    assertThat(again.text("key")).isEqualTo(first.text("key"));
    assertThat(admin("GET", path, null).body().path("keys")).hasSize(1);
  }

  private static String organization(String name) {
    return admin("POST", "/v1/admin/organizations", "{\"name\":\"" + name + "\"}").text("id");
  }

  private static Answer admin(String method, String path, String body, String... headers) {
    var request =
        api.request(path)
            .header("Authorization", "Bearer " + RunningApi.ADMIN_KEY)
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    if (body != null) {
      request.header("Content-Type", "application/json");
    }
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return api.send(request);
  }

  private static Answer bearer(String token, String path) {
    return api.send(api.request(path).header("Authorization", "Bearer " + token).GET());
  }
}
