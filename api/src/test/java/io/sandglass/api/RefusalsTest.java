package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is refused, in the history of those whom it was about. */
final class RefusalsTest {
  private static final String BASE = "{\"template\":\"base\"}";

  private static InProcessLog log;
  private static RunningApi api;
  private static String owners;
  private static String owner;
  private static String stranger;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    api = RunningApi.start(data, log, Map.of());
    owners = organization("owners");
    owner = api.bootstrap().newKey(owners, "owner").apiKey();
    stranger = api.bootstrap().newKey(organization("strangers"), "stranger").apiKey();
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
  }

  @AfterEach
  void theLogIsBack() {
    log.mood(InProcessLog.Mood.WORKING);
  }

  @Test
  void theOwnerSeesWhoTriedWhat() {
    String id = create();
    JsonNode before = get(owner, "/v1/sandboxes/" + id).body();

    assertThat(get(stranger, "/v1/sandboxes/" + id, "X-Request-Id", "peek-1").status())
        .isEqualTo(403);
    assertThat(post(stranger, "/v1/sandboxes/" + id + "/execute", "{\"command\":\"id\"}").status())
        .isEqualTo(403);

    List<JsonNode> events = events(id);
    assertThat(events).hasSize(4);
    JsonNode read = events.get(2);
    assertThat(read.path("type").asText()).isEqualTo("RequestRefused");
    assertThat(read.path("actor").asText()).isEqualTo("key:" + keyId(stranger));
    assertThat(read.path("cause").asText()).isEqualTo("command");
    assertThat(read.path("request_id").asText()).isEqualTo("peek-1");
    assertThat(read.path("status_after").asText()).isEqualTo("running");
    assertThat(read.path("data").toString())
        .isEqualTo(
            "{\"code\":\"foreign_organization\",\"operation\":\"getSandbox\",\"detail\":\"The"
                + " sandbox "
                + id
                + " belongs to another organization.\",\"suppressed\":0}");
    assertThat(events.get(3).path("data").path("operation").asText()).isEqualTo("execute");
    assertThat(except(get(owner, "/v1/sandboxes/" + id).body(), "version"))
        .isEqualTo(except(before, "version"));
    assertThat(get(stranger, "/v1/events").body().path("events")).isEmpty();
  }

  @Test
  void alsoAfterTheEndWhichStaysAsItWas() {
    String id = create();
    assertThat(api.send(as(owner, "/v1/sandboxes/" + id).DELETE()).status()).isEqualTo(204);
    JsonNode ended = get(owner, "/v1/sandboxes/" + id).body();

    assertThat(get(stranger, "/v1/sandboxes/" + id + "/events").status()).isEqualTo(403);

    assertThat(events(id).getLast().path("type").asText()).isEqualTo("RequestRefused");
    assertThat(events(id).getLast().path("status_after").asText()).isEqualTo("destroyed");
    assertThat(except(get(owner, "/v1/sandboxes/" + id).body(), "version"))
        .isEqualTo(except(ended, "version"));
    assertThat(
            get(owner, "/v1/sandboxes/" + id + "?at=" + events(id).getLast().path("at").asText())
                .text("status"))
        .isEqualTo("destroyed");
  }

  @Test
  void whatIsBeyondTheQuotaIsInTheOrganizationsHistory() {
    String org = organization("poor");
    String key = api.bootstrap().newKey(org, "poor").apiKey();
    assertThat(
            api.send(
                    as(RunningApi.ADMIN_KEY, "/v1/admin/organizations/" + org + "/quota")
                        .header("Content-Type", "application/json")
                        .PUT(BodyPublishers.ofString("{\"live_sandboxes\":0}")))
                .status())
        .isEqualTo(200);

    assertThat(post(key, "/v1/sandboxes", BASE).text("code")).isEqualTo("quota_exceeded");
    assertThat(post(key, "/v1/sandboxes", BASE).text("code")).isEqualTo("quota_exceeded");

    JsonNode events = get(key, "/v1/events?type=RequestRefused").body().path("events");
    assertThat(events.findValuesAsText("event_id")).containsExactly(org + "-1", org + "-2");
    JsonNode first = events.path(0);
    assertThat(first.path("sandbox_id").asText()).isEqualTo(org);
    assertThat(first.path("status_after").asText()).isEqualTo("absent");
    assertThat(first.path("actor").asText()).isEqualTo("key:" + keyId(key));
    assertThat(first.path("data").path("code").asText()).isEqualTo("quota_exceeded");
    assertThat(first.path("data").path("operation").asText()).isEqualTo("createSandbox");
    assertThat(first.path("data").path("detail").asText()).contains("0 live sandboxes");
    assertThat(get(key, "/v1/sandboxes").body().path("sandboxes")).isEmpty();
    assertThat(get(key, "/v1/sandboxes/" + org).status()).isEqualTo(404);
    assertThat(get(key, "/v1/sandboxes?status=absent").status()).isEqualTo(400);
  }

  @Test
  void theAnswerIsTheSameWhenTheLogIsAwayAndTheNextOneCountsIt() {
    String id = create();
    String other = api.bootstrap().newKey(organization("others"), "other").apiKey();
    log.mood(InProcessLog.Mood.DOWN);
    assertThat(get(other, "/v1/sandboxes/" + id).text("code")).isEqualTo("foreign_organization");
    log.mood(InProcessLog.Mood.WORKING);

    assertThat(get(other, "/v1/sandboxes/" + id).text("code")).isEqualTo("foreign_organization");

    assertThat(events(id)).hasSize(3);
    assertThat(events(id).getLast().path("data").path("suppressed").asInt()).isEqualTo(1);
  }

  @Test
  void whatIsNobodysIsNotNoted() {
    int before = noted();

    assertThat(get(stranger, "/v1/sandboxes/sbx_00000000000000000000000000").status())
        .isEqualTo(404);
    assertThat(post(stranger, "/v1/sandboxes", "{\"template\":\"none\"}").status()).isEqualTo(404);

    assertThat(noted()).isEqualTo(before);
  }

  private static int noted() {
    return (int) log.received().stream().filter(Command.NoteRefusal.class::isInstance).count();
  }

  private static String organization(String name) {
    Answer made =
        api.send(
            as(RunningApi.ADMIN_KEY, "/v1/admin/organizations")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"name\":\"" + name + "\"}")));
    return made.text("id");
  }

  private static String keyId(String key) {
    return "key_" + key.split("_", -1)[1];
  }

  private static String create() {
    return post(owner, "/v1/sandboxes", BASE).text("id");
  }

  private static List<JsonNode> events(String id) {
    return get(owner, "/v1/sandboxes/" + id + "/events")
        .body()
        .path("events")
        .valueStream()
        .toList();
  }

  private static Answer get(String key, String path, String... headers) {
    HttpRequest.Builder request = as(key, path).GET();
    return api.send(headers.length == 0 ? request : request.headers(headers));
  }

  private static Answer post(String key, String path, String body) {
    return api.send(
        as(key, path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  private static HttpRequest.Builder as(String key, String path) {
    return api.request(path).header("Authorization", "Bearer " + key);
  }

  private static JsonNode except(JsonNode object, String field) {
    com.fasterxml.jackson.databind.node.ObjectNode copy = object.deepCopy();
    copy.remove(field);
    return copy;
  }
}
