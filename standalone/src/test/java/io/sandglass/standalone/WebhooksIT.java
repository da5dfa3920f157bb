package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookVerificationException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A receiver that misbehaves, and a Sandglass that is killed: everything arrives nevertheless. */
@ExtendWith(SharedSandglass.class)
class WebhooksIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Message(String id, String eventId, String sandboxId, JsonNode event) {}

  /** What it took, in order. What it refused or never answered does not count. */
  private final List<Message> taken = new CopyOnWriteArrayList<>();

  private final List<String> unsigned = new CopyOnWriteArrayList<>();

  /** The ids of the tests that came. */
  private final List<String> tests = new CopyOnWriteArrayList<>();

  private final AtomicInteger calls = new AtomicInteger();
  private volatile String secret;

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      try {
        new Webhook(secret).verify(body, exchange.getRequestHeaders());
      } catch (WebhookVerificationException e) {
        unsigned.add(body);
      }
      if (JSON.readTree(body).path("type").asText().equals("WebhookTest")) {
        tests.add(exchange.getRequestHeaders().getFirst("webhook-id"));
        exchange.sendResponseHeaders(204, -1);
        return;
      }
      int status =
          switch (calls.incrementAndGet() % 5) {
            case 1 -> 500;
            case 2 -> 302;
            case 3 -> {
              hang();
              yield 503;
            }
            default -> 204;
          };
      if (status == 302) {
        exchange.getResponseHeaders().set("Location", "/elsewhere");
      }
      if (status == 204) {
        JsonNode event = JSON.readTree(body).get("data");
        taken.add(
            new Message(
                exchange.getRequestHeaders().getFirst("webhook-id"),
                event.get("event_id").asText(),
                event.get("sandbox_id").asText(),
                event));
      }
      exchange.sendResponseHeaders(status, -1);
    }
  }

  /** Longer than a sender waits. */
  private static void hang() {
    try {
      Thread.sleep(Duration.ofSeconds(2));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void everythingArrivesSignedAndInOrder(SandglassProcess sandglass, ApiClient api)
      throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      server.setExecutor(threads);
      server.createContext("/hook", this::receive);
      server.start();
      ApiClient.Answer made =
          api.post(
                  "/v1/webhooks",
                  "{\"url\": \"http://127.0.0.1:" + server.getAddress().getPort() + "/hook\"}")
              .expect(201);
      secret = made.text("secret");
      String webhook = "/v1/webhooks/" + made.text("id");

      List<String> sandboxes = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        String id = api.create("{\"template\": \"base\"}");
        sandboxes.add(id);
        api.execute(id, "true").expect(200);
        api.destroy(id);
      }
      sandglass.kill();
      sandglass.launch();
      sandglass.awaitReady();

      Awaitility.await("all deliveries")
          .atMost(Duration.ofSeconds(90))
          .untilAsserted(
              () -> {
                for (String id : sandboxes) {
                  List<String> history = api.events(id).findValuesAsText("event_id");
                  assertThat(api.events(id).findValuesAsText("type")).contains("SandboxEnded");
                  assertThat(taken).extracting(Message::eventId).containsAll(history);
                }
                assertThat(api.get(webhook + "/deliveries?status=pending").body().get("deliveries"))
                    .isEmpty();
              });
      assertThat(unsigned).isEmpty();
      for (String id : sandboxes) {
        List<Message> heard =
            taken.stream().filter(message -> message.sandboxId().equals(id)).toList();
        // An answer that was lost with the process repeats an event, but none comes before its
        // time.
        assertThat(heard.stream().map(message -> message.event().get("version").asInt()))
            .isSorted();
        assertThat(heard.stream().map(Message::event).distinct())
            .containsExactlyElementsOf(api.events(id));
      }

      Message first = taken.getFirst();
      int before = taken.size();
      api.post(webhook + "/deliveries/" + first.id() + "/redeliver", "{}").expect(202);
      Awaitility.await("the redelivery")
          .atMost(Duration.ofSeconds(60))
          .until(() -> taken.size() > before);
      assertThat(taken.getLast()).isEqualTo(first);

      ApiClient.Answer test = api.post(webhook + "/test", "{}").expect(202);
      Awaitility.await("the test")
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  api.get(webhook + "/deliveries/" + test.text("id"))
                      .text("status")
                      .equals("delivered"));
      assertThat(tests).containsExactly(test.text("id"));
      assertThat(unsigned).isEmpty();
    } finally {
      server.stop(0);
    }
  }
}
