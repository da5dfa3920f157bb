package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The organization's history while sandboxes live, through the whole system. */
@ExtendWith(SharedSandglass.class)
class HistoryIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SANDBOXES = 8;
  private static final int COMMANDS = 4;

  @Test
  void aStreamThatIsCutAllTheTimeShowsEverythingOnceAndInOrder(ApiClient api) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<String>> lives =
          IntStream.range(0, SANDBOXES).mapToObj(_ -> threads.submit(() -> live(api))).toList();
      List<JsonNode> seen = new ArrayList<>();
      Random random = new Random(11);
      String lastId = "h1";
      int ended = 0;
      int cuts = 0;
      while (ended < SANDBOXES) {
        try (Stream<String> lines =
            api.follow("/v1/events/stream", Map.of("Last-Event-ID", lastId))) {
          Iterator<String> line = lines.iterator();
          String id = lastId;
          String data = null;
          // Cut anywhere, in the middle of an event too: what has no empty line after it does not
          // count.
          for (int left = 1 + random.nextInt(12); left > 0 && ended < SANDBOXES; left--) {
            String text = line.next();
            if (text.startsWith("id: ")) {
              id = text.substring(4);
            } else if (text.startsWith("data: ")) {
              data = text.substring(6);
            } else if (text.isEmpty()) {
              lastId = id;
              if (data != null) {
                JsonNode event = parse(data);
                seen.add(event);
                ended += event.get("type").asText().equals("SandboxEnded") ? 1 : 0;
                data = null;
              }
            }
          }
        }
        cuts++;
      }
      assertThat(cuts).isGreaterThanOrEqualTo(100);

      List<String> all = new ArrayList<>();
      for (Future<String> life : lives) {
        String id = life.get();
        JsonNode history = api.events(id);
        assertThat(seen.stream().filter(event -> event.get("sandbox_id").asText().equals(id)))
            .containsExactlyElementsOf(history);
        all.addAll(history.findValuesAsText("event_id"));
        assertTimeTravel(api, id, history);
      }
      assertThat(seen).hasSize(all.size());
      assertThat(api.get("/v1/events?limit=1000").body().get("events").findValuesAsText("event_id"))
          .containsExactlyInAnyOrderElementsOf(all);
      assertThat(api.get("/v1/events?cursor=" + lastId).body().get("events")).isEmpty();
    }
  }

  @Test
  void whoeverIsRefusedIsInTheHistoryOfThoseWhomItWasAbout(SandglassProcess sandglass) {
    ApiClient admin = sandglass.admin();
    String owners = admin.organization("owners");
    ApiClient owner = admin.clientOf(owners);
    ApiClient stranger = admin.clientOf(admin.organization("strangers"));
    String id = owner.create("{\"template\": \"base\"}");
    String sandbox = "/v1/sandboxes/" + id;

    stranger.get(sandbox).expect(403);
    stranger.execute(id, "id").expect(403);
    owner.delete(sandbox).expect(204);
    stranger.get(sandbox + "/events").expect(403);
    admin
        .send(
            "PUT",
            "/v1/admin/organizations/" + owners + "/quota",
            "{\"live_sandboxes\": 0}",
            Map.of())
        .expect(200);
    owner.post("/v1/sandboxes", "{\"template\": \"base\"}").expect(429);

    await("what was refused")
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              assertThat(refused(owner.events(id)))
                  .extracting(event -> event.get("data").get("operation").asText())
                  .containsExactly("getSandbox", "execute", "getSandboxEvents");
              assertThat(refused(owner.get("/v1/events?limit=1000").body().get("events")))
                  .last()
                  .satisfies(
                      event -> {
                        assertThat(event.get("sandbox_id").asText()).isEqualTo(owners);
                        assertThat(event.get("data").get("code").asText())
                            .isEqualTo("quota_exceeded");
                      });
            });
    assertThat(refused(owner.events(id)))
        .allSatisfy(
            event ->
                assertThat(event.get("actor").asText())
                    .isNotEqualTo(owner.events(id).get(0).get("actor").asText())
                    .startsWith("key:"));
    assertThat(refused(stranger.get("/v1/events").body().get("events"))).isEmpty();
  }

  private static List<JsonNode> refused(JsonNode events) {
    return events
        .valueStream()
        .filter(event -> event.get("type").asText().equals("RequestRefused"))
        .toList();
  }

  private static String live(ApiClient api) {
    String id = api.create("{\"template\": \"base\"}");
    for (int i = 0; i < COMMANDS; i++) {
      api.execute(id, "echo once").expect(200);
    }
    api.destroy(id);
    return id;
  }

  /** Every moment of a history shows the state that the last event until then left. */
  private static void assertTimeTravel(ApiClient api, String id, JsonNode history) {
    for (JsonNode event : history) {
      JsonNode then =
          api.get("/v1/sandboxes/" + id + "?at=" + event.get("at").asText()).expect(200).body();
      // Several events may share a millisecond: the last of them counts.
      assertThat(then.get("version").asLong())
          .isGreaterThanOrEqualTo(event.get("version").asLong());
      assertThat(then.get("status"))
          .isEqualTo(history.get(then.get("version").asInt() - 1).get("status_after"));
    }
  }

  private static JsonNode parse(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
