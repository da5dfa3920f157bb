package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Access;
import io.sandglass.api.http.Requires;
import io.sandglass.api.resources.OpenApi;
import io.swagger.v3.core.util.Yaml;
import jakarta.ws.rs.GET;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.glassfish.jersey.server.ApplicationHandler;
import org.glassfish.jersey.server.ResourceConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation of the API's own document with every kind of key that must not get in. A new
 * operation is here without being named; one with a body that it must not lack adds it to {@link
 * #BODIES}.
 */
final class AccessTest {
  private static final String MARK = "seen-by-its-owner-alone";

  /** Of operations that look at their body before they look whose it is. */
  private static final Map<String, String> BODIES =
      Map.of(
          "execute", "{\"command\":\"id\"}",
          "changeSandboxEgress", "{\"mode\":\"deny_all\"}");

  private static InProcessLog log;
  private static RunningApi api;
  private static String org;
  private static String keys;
  private static String sandbox;
  private static String template;
  private static String command;
  private static String foreign;
  private static String revoked;
  private static String expired;

  /** An operation of the document. */
  record Call(String id, String method, String path, String scope, boolean body) {
    boolean admin() {
      return scope.equals("admin");
    }

    @Override
    public String toString() {
      return id;
    }
  }

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    log = new InProcessLog();
    // More than there are operations.
    api = RunningApi.start(data, log, Map.of("SANDGLASS_REFUSALS_PER_HOUR", "1000"));
    org = api.bootstrap().organizations().getFirst();
    keys = "/v1/admin/organizations/" + org + "/keys";
    String body = "{\"template\":\"base\",\"metadata\":{\"mark\":\"" + MARK + "\"}}";
    log.mood(InProcessLog.Mood.SLOW);
    command = api.post("/v1/sandboxes", body).text("id");
    log.mood(InProcessLog.Mood.WORKING);
    log.decideNow();
    sandbox = api.post("/v1/sandboxes", body).text("id");
    template =
        api.post(
                "/v1/templates",
                "{\"name\":\"" + MARK + "\",\"image\":\"" + InProcessLog.IMAGE + "\"}")
            .text("id");
    Answer other = admin("POST", "/v1/admin/organizations", "{\"name\":\"other\"}");
    foreign = api.bootstrap().newKey(other.text("id"), "foreign").apiKey();
    Answer gone = admin("POST", keys, "{\"name\":\"gone\"}");
    revoked = gone.text("key");
    assertThat(admin("DELETE", keys + "/" + gone.text("id"), null).status()).isEqualTo(204);
    Instant soon = Instant.now().plusSeconds(1);
    expired =
        admin("POST", keys, "{\"name\":\"brief\",\"expires_at\":\"" + soon + "\"}").text("key");
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> send(document("listSandboxes"), expired).status() == 401);
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
  }

  private static List<Call> operations() throws IOException {
    JsonNode document = Yaml.mapper().readTree(OpenApi.yaml("0"));
    List<Call> calls = new ArrayList<>();
    for (var path : document.path("paths").properties()) {
      if (path.getKey().startsWith("/v1")) {
        for (var method : path.getValue().properties()) {
          JsonNode operation = method.getValue();
          calls.add(
              new Call(
                  operation.path("operationId").asText(),
                  method.getKey().toUpperCase(Locale.ROOT),
                  path.getKey(),
                  operation.path("x-required-scope").asText(),
                  operation.has("requestBody")));
        }
      }
    }
    return calls;
  }

  private static Call document(String id) throws IOException {
    return operations().stream().filter(call -> call.id().equals(id)).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("operations")
  void onlyAWorkingKeyWithTheScopeGetsIn(Call call) {
    assertThat(Scope.parse(call.scope())).as("the scope of " + call).isPresent();
    String key = api.key();
    String mistyped = flip(key, key.length() - 1);
    String unknown = RunningApi.strange(key);
    int commands = log.received().size();

    for (String sent :
        new String[] {
          null,
          "",
          "nonsense",
          mistyped,
          unknown,
          revoked,
          expired,
          key.substring(0, key.length() - 1),
          key.substring(0, 30),
          key.toUpperCase(Locale.ROOT),
          key.substring(0, key.length() - 9)
              + key.substring(key.length() - 9).toUpperCase(Locale.ROOT)
        }) {
      if (key.equals(sent)) {
        continue; // its end is of digits only
      }
      Answer answer = send(call, sent);
      assertThat(answer.status()).as("%s with %s: %s", call, sent, answer.body()).isEqualTo(401);
      assertThat(answer.text("code")).isEqualTo("unauthorized");
      assertThat(answer.header("WWW-Authenticate")).startsWith("Bearer");
    }
    Answer lacking = send(call, lacking(call.scope()));
    assertThat(lacking.status()).as("%s: %s", call, lacking.body()).isEqualTo(403);
    assertThat(lacking.text("code")).isEqualTo("insufficient_scope");
    if (!call.admin()) {
      assertThat(send(call, RunningApi.ADMIN_KEY).text("code")).isEqualTo("insufficient_scope");
    }
    assertThat(log.received()).as("nothing reaches the log").hasSize(commands);
  }

  @ParameterizedTest
  @MethodSource("operations")
  void anotherOrganizationGetsNothing(Call call) throws IOException {
    if (call.admin() || call.id().equals("streamEvents")) {
      return; // the one is for no organization, the other has a test in HistoryTest
    }
    ObjectNode before = (ObjectNode) api.get("/v1/sandboxes/" + sandbox).body();
    int commands = log.received().size();

    Answer answer = send(call, foreign);

    assertThat(answer.response().body()).doesNotContain(MARK);
    if (call.path().startsWith("/v1/sandboxes/{") || call.path().startsWith("/v1/commands/{")) {
      assertThat(answer.status()).as("%s: %s", call, answer.body()).isEqualTo(403);
      assertThat(answer.text("code")).isEqualTo("foreign_organization");
    } else if (call.path().contains("{")) {
      assertThat(answer.status()).as("%s: %s", call, answer.body()).isIn(403, 404);
    }
    List<Command> since = log.received().subList(commands, log.received().size());
    if (call.path().startsWith("/v1/sandboxes/{")) {
      // That it was refused is all that happens.
      assertThat(since)
          .singleElement()
          .isInstanceOfSatisfying(
              Command.NoteRefusal.class,
              note -> {
                assertThat(note.operation()).isEqualTo(call.id());
                assertThat(note.header().sandboxId()).isEqualTo(sandbox);
                assertThat(note.header().orgId()).isEqualTo(org);
              });
      before.put("version", before.path("version").asInt() + 1);
    } else {
      assertThat(since).isEmpty();
    }
    assertThat(api.get("/v1/sandboxes/" + sandbox).body()).isEqualTo(before);
    assertThat(api.get("/v1/templates/" + template).status()).isEqualTo(200);
  }

  /** The same connection carries a refused request with a body, and the next one. */
  @Test
  void aRefusedRequestWithABodyLeavesTheConnectionUsable() {
    for (int i = 0; i < 50; i++) {
      for (int size : new int[] {10, 100_000, 3_000_000}) {
        HttpRequest.Builder request =
            api.request("/v1/sandboxes")
                .header("Authorization", "Bearer " + expired)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("x".repeat(size)));
        assertThat(api.send(request).status()).isEqualTo(401);
      }
      assertThat(api.get("/v1/sizes").status()).isEqualTo(200);
    }
  }

  /** A resource that was never registered: an operation with a scope, and one that forgot it. */
  @jakarta.ws.rs.Path("/v1/things")
  public static final class Things {
    @GET
    @Requires(Scope.USAGE_READ)
    public String one() {
      return "";
    }

    @GET
    @jakarta.ws.rs.Path("/all")
    public String all() {
      return "";
    }
  }

  @Test
  void withAnOperationThatSaysNoScopeNothingStarts() {
    ResourceConfig server = new ResourceConfig(Things.class).register(new Access(null, null, null));

    assertThatThrownBy(() -> new ApplicationHandler(server))
        .hasStackTraceContaining("Things.all() says no scope");
  }

  private static Answer send(Call call, String key) {
    String path =
        (call.path() + (call.path().startsWith("/v1/sandboxes/{") ? "?path=/tmp/x" : ""))
            .replace(
                "{id}",
                call.admin() ? org : call.path().startsWith("/v1/commands") ? command : sandbox)
            .replace("{key}", "key_x")
            .replace("{name}", template)
            .replaceAll("\\{[a-z_]+}", "none");
    boolean bytes = call.id().equals("uploadFile");
    HttpRequest.Builder request =
        api.request(path)
            .method(
                call.method(),
                call.body()
                    ? BodyPublishers.ofString(BODIES.getOrDefault(call.id(), "{}"))
                    : BodyPublishers.noBody());
    if (call.body()) {
      request.header("Content-Type", bytes ? "application/octet-stream" : "application/json");
    }
    if (key != null) {
      request.header("Authorization", "Bearer " + key);
    }
    return api.send(request);
  }

  /** A key of the sandbox's organization that may do everything but this. */
  private static String lacking(String scope) {
    List<String> others =
        Stream.of(Scope.values()).map(Scope::text).filter(text -> !text.equals(scope)).toList();
    var body = new ObjectMapper().createObjectNode().put("name", "all but " + scope);
    body.putPOJO("scopes", others);
    Answer made = admin("POST", keys, body.toString(), "Idempotency-Key", "lacks-" + scope);
    assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
    return made.text("key");
  }

  private static String flip(String key, int at) {
    char other = key.charAt(at) == '0' ? '1' : '0';
    return key.substring(0, at) + other + key.substring(at + 1);
  }

  private static Answer admin(String method, String path, String body, String... headers) {
    HttpRequest.Builder request =
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
}
