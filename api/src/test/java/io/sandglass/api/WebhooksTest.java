package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.sandglass.api.RunningApi.Answer;
import io.sandglass.api.WebhookReceiver.Message;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Webhooks over HTTP, with H2, a log in this process, and an endpoint on this machine. */
final class WebhooksTest {
  private static final Map<String, String> LENIENT =
      Map.of(
          "SANDGLASS_WEBHOOK_ALLOW_HTTP",
          "true",
          "SANDGLASS_WEBHOOK_ALLOW_NETWORKS",
          "127.0.0.0/8",
          "SANDGLASS_WEBHOOK_FIRST_RETRY",
          "200ms",
          "SANDGLASS_WEBHOOK_LONGEST_RETRY",
          "400ms",
          "SANDGLASS_WEBHOOK_TIMEOUT",
          "2s");

  private static RunningApi api;
  private static WebhookReceiver receiver;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    api = RunningApi.start(data, new InProcessLog(), LENIENT);
    receiver = WebhookReceiver.start();
  }

  @AfterAll
  static void stop() throws Exception {
    api.stop();
    receiver.close();
  }

  private static void eventually(ThrowingRunnable assertion) {
    await().atMost(Duration.ofSeconds(60)).untilAsserted(assertion);
  }

  private static Answer webhook(RunningApi api, String url, String more) {
    Answer made = api.post("/v1/webhooks", "{\"url\":\"%s\"%s}".formatted(url, more));
    assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
    return made;
  }

  private static Answer webhook(String path, String more) {
    return webhook(api, receiver.url(path), more);
  }

  private static Answer change(Answer webhook, String body) {
    return api.send(
        api.authorized("/v1/webhooks/" + webhook.text("id"))
            .header("Content-Type", "application/json")
            .method("PATCH", BodyPublishers.ofString(body)));
  }

  private static Answer read(Answer webhook) {
    return api.get("/v1/webhooks/" + webhook.text("id"));
  }

  /** A sandbox with four events. */
  private static String live() {
    return live(api);
  }

  private static String live(RunningApi api) {
    String id = api.post("/v1/sandboxes", "{\"template\":\"base\"}").text("id");
    assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);
    return id;
  }

  private static JsonNode deliveries(Answer webhook, String query) {
    return api.get("/v1/webhooks/" + webhook.text("id") + "/deliveries" + query)
        .body()
        .path("deliveries");
  }

  private static List<String> eventsAt(String path, String sandbox) {
    return receiver.at(path).stream()
        .filter(message -> message.sandboxId().equals(sandbox))
        .map(Message::eventId)
        .toList();
  }

  @Test
  void everyEventComesSignedAndInOrderAsTheHistoryShowsIt() {
    Answer made = webhook("/all", ",\"description\":\"Everything\"");
    String id = live();
    String other = live();

    eventually(
        () -> {
          assertThat(eventsAt("/all", id)).hasSize(4);
          assertThat(eventsAt("/all", other)).hasSize(4);
        });

    JsonNode history = api.get("/v1/sandboxes/" + id + "/events").body().path("events");
    List<Message> messages =
        receiver.at("/all").stream().filter(one -> one.sandboxId().equals(id)).toList();
    for (int i = 0; i < 4; i++) {
      Message message = messages.get(i);
      assertThat(message.json().path("data")).isEqualTo(history.get(i));
      assertThat(message.json().path("type")).isEqualTo(history.get(i).path("type"));
      assertThat(message.json().path("timestamp")).isEqualTo(history.get(i).path("at"));
      assertThat(message.isSignedWith(made.text("secret"))).isTrue();
      assertThat(message.isSignedWith("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).isFalse();
      assertThat(message.header("Content-Type")).startsWith("application/json");
    }
    eventually(
        () -> {
          JsonNode log = deliveries(made, "?status=delivered&limit=1000");
          assertThat(log.findValuesAsText("id"))
              .containsAll(messages.stream().map(one -> one.header("webhook-id")).toList());
          assertThat(log.get(0).path("attempts").asInt()).isEqualTo(1);
          assertThat(log.get(0).path("status_code").asInt()).isEqualTo(204);
          assertThat(log.get(0).path("error").isNull()).isTrue();
        });
    assertThat(read(made).text("last_delivered_at")).isNotNull();
  }

  @Test
  void theSecretIsShownOnceAndTheMakerIsKept() {
    String body = "{\"url\":\"" + receiver.url("/once") + "\",\"event_types\":[\"SandboxEnded\"]}";
    Answer made = api.post("/v1/webhooks", body, "Idempotency-Key", "w1");
    Answer again = api.post("/v1/webhooks", body, "Idempotency-Key", "w1");

    assertThat(made.status()).as("%s", made.body()).isEqualTo(201);
    assertThat(made.text("secret")).matches("whsec_[A-Za-z0-9+/]{43}=");
    assertThat(made.header("Location")).isEqualTo("/v1/webhooks/" + made.text("id"));
    assertThat(made.header("Cache-Control")).isEqualTo("no-store");
    assertThat(made.text("created_by")).startsWith("key:");
    assertThat(again.body()).isEqualTo(made.body());
    Answer read = read(made);
    assertThat(read.body().has("secret")).isFalse();
    assertThat(api.get("/v1/webhooks").body().path("webhooks").toString())
        .contains(made.text("id"))
        .doesNotContain("whsec_");
    String id = live();
    eventually(() -> assertThat(eventsAt("/once", id)).containsExactly(id + "-4"));
  }

  @Test
  void aFailingSandboxIsRetriedInOrderAndHoldsUpNoOther() {
    Set<String> refused = ConcurrentHashMap.newKeySet();
    AtomicInteger tries = new AtomicInteger();
    receiver.behave(
        "/picky",
        (message, _) ->
            refused.contains(message.sandboxId()) && tries.incrementAndGet() > 0 ? 500 : 200);
    String bad = api.post("/v1/sandboxes", "{\"template\":\"base\"}").text("id");
    refused.add(bad);
    Answer made = webhook("/picky", "");
    assertThat(api.delete("/v1/sandboxes/" + bad).status()).isEqualTo(204);
    eventually(() -> assertThat(tries).hasValueGreaterThan(1));
    String good = live();

    eventually(() -> assertThat(eventsAt("/picky", good)).hasSize(4));
    assertThat(Set.copyOf(eventsAt("/picky", bad))).containsExactly(bad + "-3");
    // The last of the good one's has arrived, which may not be noted yet.
    eventually(() -> assertThat(deliveries(made, "?status=pending")).hasSize(2));
    JsonNode log = deliveries(made, "?status=pending");
    JsonNode head = log.get(1);
    assertThat(head.path("event_id").asText()).isEqualTo(bad + "-3");
    assertThat(head.path("attempts").asInt()).isPositive();
    assertThat(head.path("status_code").asInt()).isEqualTo(500);
    assertThat(head.path("error").asText()).contains("500");
    assertThat(head.path("next_attempt_at").asText()).startsWith("20");
    assertThat(log.get(0).path("next_attempt_at").isNull()).isTrue();
    assertThat(redeliver(made, log.get(0).path("id").asText()).text("code"))
        .isEqualTo("delivery_waits");

    refused.clear();
    eventually(() -> assertThat(eventsAt("/picky", bad)).endsWith(bad + "-3", bad + "-4"));
    assertThat(
            receiver.at("/picky").stream()
                .filter(message -> message.eventId().equals(bad + "-3"))
                .map(message -> message.header("webhook-id"))
                .distinct())
        .hasSize(1);
  }

  private static Answer redeliver(Answer webhook, String delivery) {
    return api.send(
        api.authorized(
                "/v1/webhooks/" + webhook.text("id") + "/deliveries/" + delivery + "/redeliver")
            .POST(BodyPublishers.noBody()));
  }

  @Test
  void anEndpointThatHangsDelaysNobodyElse() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    receiver.behave(
        "/hanging",
        (_, _) -> {
          try {
            release.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return 200;
        });
    Answer hanging = webhook("/hanging", "");
    Answer brisk = webhook("/brisk", "");
    for (int i = 0; i < 20; i++) {
      live();
    }

    eventually(() -> assertThat(receiver.at("/brisk")).hasSizeGreaterThanOrEqualTo(80));
    eventually(
        () ->
            assertThat(deliveries(hanging, "").findValuesAsText("error"))
                .anyMatch(error -> error.contains("did not answer within 2000 ms")));
    assertThat(read(hanging).body().path("enabled").asBoolean()).isTrue();
    release.countDown();
    for (Answer webhook : List.of(hanging, brisk)) {
      assertThat(api.delete("/v1/webhooks/" + webhook.text("id")).status()).isEqualTo(204);
    }
    assertThat(read(hanging).text("code")).isEqualTo("webhook_not_found");
  }

  @Test
  void redirectsAreNotFollowed() {
    receiver.behave(
        "/moved",
        (_, exchange) -> {
          exchange.getResponseHeaders().set("Location", receiver.url("/elsewhere"));
          return 307;
        });
    Answer made = webhook("/moved", "");
    live();

    eventually(
        () ->
            assertThat(deliveries(made, "").findValuesAsText("error"))
                .anyMatch(error -> error.contains("redirects (status 307)")));
    assertThat(receiver.at("/elsewhere")).isEmpty();
  }

  @Test
  void aReceiverThatAsksToBeLeftAloneIsUntilThen(@TempDir Path data) throws Exception {
    Map<String, String> patient = new HashMap<>(LENIENT);
    patient.put("SANDGLASS_WEBHOOK_LONGEST_RETRY", "12h");
    RunningApi api = RunningApi.start(data, new InProcessLog(), patient);
    try {
      receiver.behave(
          "/busy",
          (_, exchange) -> {
            exchange.getResponseHeaders().set("Retry-After", "3600");
            return 429;
          });
      Answer made = webhook(api, receiver.url("/busy"), ",\"event_types\":[\"SandboxRequested\"]");
      Instant before = Instant.now();
      live(api);

      String path = "/v1/webhooks/" + made.text("id");
      eventually(() -> assertThat(api.get(path).text("paused_until")).isNotNull());
      Instant pause = Instant.parse(api.get(path).text("paused_until"));
      assertThat(pause).isAfterOrEqualTo(before.plusSeconds(3_599));
      JsonNode delivery = api.get(path + "/deliveries").body().path("deliveries").get(0);
      assertThat(Instant.parse(delivery.path("next_attempt_at").asText())).isEqualTo(pause);
      assertThat(delivery.path("status_code").asInt()).isEqualTo(429);
      live(api);

      receiver.behave("/busy", (_, _) -> 200);
      Answer changed =
          api.send(
              api.authorized(path)
                  .header("Content-Type", "application/json")
                  .method("PATCH", BodyPublishers.ofString("{\"enabled\":true}")));
      assertThat(changed.body().path("paused_until").isNull()).isTrue();
      eventually(
          () ->
              assertThat(api.get(path + "/deliveries?status=delivered").body().path("deliveries"))
                  .hasSize(2));
      // The one that it refused, and the two that it then took.
      assertThat(receiver.at("/busy")).hasSize(3);
    } finally {
      api.stop();
    }
  }

  @Test
  void aTestShowsWhetherItCanBeReached() {
    Answer made = webhook("/test", ",\"event_types\":[\"SandboxEnded\"]");
    Answer asked = test(made, "t1");

    assertThat(asked.status()).as("%s", asked.body()).isEqualTo(202);
    assertThat(asked.text("event_type")).isEqualTo("WebhookTest");
    assertThat(asked.body().path("sandbox_id").isNull()).isTrue();
    eventually(
        () -> assertThat(api.get(asked.header("Location")).text("status")).isEqualTo("delivered"));
    assertThat(test(made, "t1").text("id")).isEqualTo(asked.text("id"));
    Message message = receiver.at("/test").getFirst();
    assertThat(receiver.at("/test")).hasSize(1);
    assertThat(message.isSignedWith(made.text("secret"))).isTrue();
    assertThat(message.header("webhook-id")).isEqualTo(asked.text("id"));
    assertThat(message.json().path("type").asText()).isEqualTo("WebhookTest");
    assertThat(message.json().at("/data/webhook_id").asText()).isEqualTo(made.text("id"));

    receiver.behave("/test", (_, _) -> 500);
    Answer failing = test(made, "t2");
    eventually(
        () -> assertThat(api.get(failing.header("Location")).text("status")).isEqualTo("failed"));
    assertThat(api.get(failing.header("Location")).text("error")).contains("500");
    JsonNode page = deliveries(made, "?limit=1");
    assertThat(page.get(0).path("id").asText()).isEqualTo(failing.text("id"));

    assertThat(change(made, "{\"enabled\":false}").status()).isEqualTo(200);
    assertThat(test(made, "t3").text("code")).isEqualTo("webhook_disabled");
    assertThat(test(made, "t3").status()).isEqualTo(409);
    assertThat(
            api.send(api.authorized("/v1/webhooks/whk_none/test").POST(BodyPublishers.noBody()))
                .text("code"))
        .isEqualTo("webhook_not_found");
  }

  private static Answer test(Answer webhook, String key) {
    return api.send(
        api.authorized("/v1/webhooks/" + webhook.text("id") + "/test")
            .header("Idempotency-Key", key)
            .POST(BodyPublishers.noBody()));
  }

  @Test
  void goneDisablesAndEnablingGoesOnWhereItStopped() {
    receiver.behave("/gone", (_, _) -> 410);
    Answer made = webhook("/gone", "");
    String id = live();

    eventually(() -> assertThat(read(made).text("disabled_reason")).isEqualTo("gone"));
    Answer disabled = read(made);
    assertThat(disabled.body().path("enabled").asBoolean()).isFalse();
    assertThat(disabled.text("disabled_detail")).contains("410");
    assertThat(disabled.text("disabled_at")).isNotNull();
    int before = receiver.at("/gone").size();
    String delivery = deliveries(made, "").get(0).path("id").asText();
    assertThat(redeliver(made, delivery).text("code")).isEqualTo("webhook_disabled");
    String later = live();

    receiver.behave("/gone", (_, _) -> 200);
    assertThat(change(made, "{\"enabled\":true}").body().path("enabled").asBoolean()).isTrue();

    eventually(() -> assertThat(eventsAt("/gone", later)).hasSize(4));
    eventually(() -> assertThat(eventsAt("/gone", id)).endsWith(id + "-2", id + "-3", id + "-4"));
    assertThat(receiver.at("/gone").subList(0, before)).hasSize(1);
  }

  @Test
  void aDeliveryIsRepeatedOnRequestUnderItsId() {
    Answer made = webhook("/again", ",\"event_types\":[\"SandboxRequested\"]");
    live();
    eventually(() -> assertThat(deliveries(made, "?status=delivered")).hasSize(1));
    String delivery = deliveries(made, "").get(0).path("id").asText();

    Answer asked = redeliver(made, delivery);

    assertThat(asked.status()).as("%s", asked.body()).isEqualTo(202);
    assertThat(asked.header("Location"))
        .isEqualTo("/v1/webhooks/" + made.text("id") + "/deliveries/" + delivery);
    eventually(() -> assertThat(receiver.at("/again")).hasSize(2));
    assertThat(receiver.at("/again"))
        .allSatisfy(message -> assertThat(message.header("webhook-id")).isEqualTo(delivery));
    eventually(
        () -> assertThat(api.get(asked.header("Location")).text("status")).isEqualTo("delivered"));
    assertThat(redeliver(made, "msg_none").text("code")).isEqualTo("delivery_not_found");
    assertThat(api.get("/v1/webhooks/whk_none/deliveries").text("code"))
        .isEqualTo("webhook_not_found");
  }

  @Test
  void afterARotationBothSecretsVerify() {
    Answer made = webhook("/rotated", "");
    Answer rotated =
        api.send(
            api.authorized("/v1/webhooks/" + made.text("id") + "/rotate-secret")
                .POST(BodyPublishers.noBody()));
    assertThat(rotated.status()).as("%s", rotated.body()).isEqualTo(200);
    live();

    eventually(() -> assertThat(receiver.at("/rotated")).isNotEmpty());
    Message message = receiver.at("/rotated").getFirst();
    assertThat(rotated.text("secret")).isNotEqualTo(made.text("secret"));
    assertThat(message.isSignedWith(made.text("secret"))).isTrue();
    assertThat(message.isSignedWith(rotated.text("secret"))).isTrue();
  }

  @Test
  void whatIsWrongIsSaid() {
    for (String body :
        List.of(
            "{}",
            "{\"url\":\"nonsense\"}",
            "{\"url\":\"ftp://example.com/\"}",
            "{\"url\":\"https://10.0.0.1/\"}",
            "{\"url\":\"https://167772161/\"}",
            "{\"url\":\"http://[::1]/\"}",
            "{\"url\":\"http://169.254.169.254/latest/meta-data\"}",
            "{\"url\":\"http://no-such-host.invalid/\"}",
            "{\"url\":\"http://a:b@127.0.0.1/\"}",
            "{\"url\":\"%s\",\"event_types\":[\"sandbox.started\"]}",
            "{\"url\":\"%s\",\"description\":\"" + "x".repeat(501) + "\"}",
            "{\"url\":\"%s\",\"secret\":\"mine\"}")) {
      Answer answer = api.post("/v1/webhooks", body.replace("%s", receiver.url("/x")));
      assertThat(answer.status()).as(body).isEqualTo(400);
      assertThat(answer.body().path("errors")).as(body).isNotEmpty();
    }
    Answer made = webhook("/changed", "");
    assertThat(change(made, "{\"url\":\"https://192.168.1.1/\"}").status()).isEqualTo(400);
    assertThat(change(made, "{\"event_types\":[null]}").status()).isEqualTo(400);
    assertThat(api.get("/v1/webhooks/" + made.text("id") + "/deliveries?status=lost").status())
        .isEqualTo(400);
    assertThat(api.get("/v1/webhooks/" + made.text("id") + "/deliveries?cursor=x").status())
        .isEqualTo(400);
    Answer changed =
        change(
            made, "{\"description\":\"b\",\"event_types\":[\"SandboxEnded\"],\"enabled\":false}");
    assertThat(changed.text("description")).isEqualTo("b");
    assertThat(changed.text("url")).isEqualTo(made.text("url"));
    assertThat(changed.text("disabled_reason")).isEqualTo("requested");
    assertThat(changed.body().path("event_types").toString()).isEqualTo("[\"SandboxEnded\"]");
  }

  @Test
  void othersNeitherSeeNorHear() {
    Answer organization = api.send(admin("/v1/admin/organizations", "{\"name\":\"others\"}"));
    String other = api.bootstrap().newKey(organization.text("id"), "tests").apiKey();
    Answer made = webhook("/mine", "");
    Answer theirs =
        api.send(
            api.request("/v1/webhooks")
                .header("Authorization", "Bearer " + other)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"url\":\"" + receiver.url("/theirs") + "\"}")));
    assertThat(theirs.status()).isEqualTo(201);
    live();

    eventually(() -> assertThat(receiver.at("/mine")).isNotEmpty());
    assertThat(receiver.at("/theirs")).isEmpty();
    assertThat(
            api.send(
                    api.request("/v1/webhooks/" + made.text("id"))
                        .header("Authorization", "Bearer " + other)
                        .GET())
                .status())
        .isEqualTo(404);
  }

  private static java.net.http.HttpRequest.Builder admin(String path, String body) {
    return api.request(path)
        .header("Authorization", "Bearer " + RunningApi.ADMIN_KEY)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body));
  }

  @Test
  void whatIsForbiddenLaterIsNotSentEither(@TempDir Path data) throws Exception {
    RunningApi lenient = RunningApi.start(data, new InProcessLog(), LENIENT);
    Answer made;
    try {
      made = webhook(lenient, receiver.url("/forbidden"), "");
    } finally {
      lenient.stop();
    }
    RunningApi strict = RunningApi.start(data, new InProcessLog(), Map.of());
    try {
      live(strict);
      eventually(
          () ->
              assertThat(
                      strict
                          .get("/v1/webhooks/" + made.text("id") + "/deliveries")
                          .body()
                          .path("deliveries")
                          .findValuesAsText("error"))
                  .anyMatch(error -> error.contains("address that webhooks may not reach")));
      assertThat(receiver.at("/forbidden")).isEmpty();
      assertThat(
              strict
                  .post("/v1/webhooks", "{\"url\":\"" + receiver.url("/forbidden") + "\"}")
                  .status())
          .isEqualTo(400);
      assertThat(strict.post("/v1/webhooks", "{\"url\":\"https://localhost/\"}").status())
          .isEqualTo(400);
    } finally {
      strict.stop();
    }
  }

  @Test
  void anEndpointThatNeverTakesAnythingIsDisabledInTheEnd(@TempDir Path data) throws Exception {
    Map<String, String> brief = new HashMap<>(LENIENT);
    brief.put("SANDGLASS_WEBHOOK_RETRY_FOR", "1s");
    RunningApi hasty = RunningApi.start(data, new InProcessLog(), brief);
    try {
      receiver.behave("/dead", (_, _) -> 503);
      Answer made = webhook(hasty, receiver.url("/dead"), "");
      live(hasty);

      eventually(
          () ->
              assertThat(hasty.get("/v1/webhooks/" + made.text("id")).text("disabled_reason"))
                  .isEqualTo("failing"));
      assertThat(receiver.at("/dead")).hasSizeGreaterThan(1);
    } finally {
      hasty.stop();
    }
  }

  @Test
  void anAnswerWithoutAnEndIsNotReadToIt() throws Exception {
    CountDownLatch cut = new CountDownLatch(1);
    receiver.behave(
        "/endless",
        (_, exchange) -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] junk = new byte[64 * 1024];
          try (var out = exchange.getResponseBody()) {
            while (true) {
              out.write(junk);
            }
          } finally {
            cut.countDown();
          }
        });
    Answer made = webhook("/endless", ",\"event_types\":[\"SandboxRequested\"]");
    live();

    assertThat(cut.await(60, TimeUnit.SECONDS)).isTrue();
    eventually(() -> assertThat(deliveries(made, "?status=delivered")).hasSize(1));
  }
}
