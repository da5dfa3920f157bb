package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.api.RunningApi.Answer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The organization's history over HTTP. */
final class HistoryTest {
  private static RunningApi api;
  private static HttpClient client;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    api = RunningApi.start(data, new InProcessLog(), Map.of());
    client = HttpClient.newHttpClient();
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    api.stop();
  }

  private static String live() {
    String id = api.post("/v1/sandboxes", "{\"template\":\"base\"}").text("id");
    assertThat(api.delete("/v1/sandboxes/" + id).status()).isEqualTo(204);
    return id;
  }

  /** An open stream, read line by line. */
  private record Stream(HttpResponse<InputStream> response, BufferedReader lines)
      implements AutoCloseable {

    record Event(String id, String type, String data) {}

    static Stream open(String lastId, String query) throws Exception {
      HttpRequest.Builder request =
          api.authorized("/v1/events/stream" + query).header("Accept", "text/event-stream");
      if (lastId != null) {
        request.header("Last-Event-ID", lastId);
      }
      HttpResponse<InputStream> response =
          client.send(request.build(), BodyHandlers.ofInputStream());
      return new Stream(
          response,
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8)));
    }

    /** The next block; one without data has null there. Null at the end. */
    Event next() throws IOException {
      String id = null;
      String type = null;
      String data = null;
      String line = lines.readLine();
      while (line != null && !line.isEmpty()) {
        if (line.startsWith("id: ")) {
          id = line.substring(4);
        } else if (line.startsWith("event: ")) {
          type = line.substring(7);
        } else if (line.startsWith("data: ")) {
          data = line.substring(6);
        }
        line = lines.readLine();
      }
      return line == null ? null : new Event(id, type, data);
    }

    @Override
    public void close() throws IOException {
      response.body().close();
    }
  }

  @Test
  void pagesShowEverySandboxOnce() {
    String start = api.get("/v1/events?limit=1000").text("end_cursor");
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      made.add(live());
    }
    List<String> seen = new ArrayList<>();
    String cursor = start;
    while (cursor != null) {
      Answer page = api.get("/v1/events?limit=3&cursor=" + cursor);
      seen.addAll(page.body().path("events").findValuesAsText("event_id"));
      cursor = page.text("next_cursor");
    }

    assertThat(seen).hasSize(20).doesNotHaveDuplicates();
    made.forEach(
        id ->
            assertThat(seen.stream().filter(event -> event.startsWith(id)))
                .containsExactly(id + "-1", id + "-2", id + "-3", id + "-4"));
    assertThat(
            api.get("/v1/events?type=SandboxEnded&limit=1000&cursor=" + start)
                .body()
                .path("events")
                .findValuesAsText("sandbox_id"))
        .isEqualTo(made);
  }

  @Test
  void badParametersAreNamed() {
    for (String query :
        List.of(
            "cursor=x",
            "type=sandboxstarted",
            "from=yesterday",
            "limit=0",
            "to=2026-13-01T00:00Z",
            "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")) {
      Answer answer = api.get("/v1/events?" + query);
      assertThat(answer.status()).as(query).isEqualTo(400);
      assertThat(answer.text("code")).isEqualTo("invalid_request");
    }
    assertThat(api.send(api.request("/v1/events").GET()).status()).isEqualTo(401);
    assertThat(api.send(api.request("/v1/events/stream").GET()).status()).isEqualTo(401);
    assertThat(
            api.send(api.authorized("/v1/events/stream").header("Last-Event-ID", "?").GET())
                .status())
        .isEqualTo(400);
  }

  @Test
  void aStreamCutAgainAndAgainShowsEveryEventOnceInOrder() throws Exception {
    String lastId;
    try (Stream first = Stream.open(null, "")) {
      lastId = first.next().id();
    }
    CompletableFuture<List<String>> made =
        CompletableFuture.supplyAsync(
            () -> {
              List<String> ids = new ArrayList<>();
              for (int i = 0; i < 25; i++) {
                ids.add(live());
              }
              return ids;
            });
    List<String> seen = new ArrayList<>();
    Random random = new Random(7);
    for (int cut = 0; cut < 100 && seen.size() < 100; cut++) {
      try (Stream stream = Stream.open(lastId, "")) {
        for (int left = 1 + random.nextInt(4); left > 0 && seen.size() < 100; ) {
          Stream.Event event = stream.next();
          lastId = event.id();
          if (event.data() != null) {
            seen.add(event.data().replaceAll(".*\"event_id\":\"([^\"]*)\".*", "$1"));
            left--;
          }
        }
      }
    }

    List<String> expected = new ArrayList<>();
    made.join()
        .forEach(id -> List.of(1, 2, 3, 4).forEach(version -> expected.add(id + "-" + version)));
    assertThat(seen).isEqualTo(expected);
  }

  @Test
  void aStreamShowsOnlyTheOwnOrganizationAndEndsWithTheKey() throws Exception {
    Answer other = api.send(admin("/v1/admin/organizations", "{\"name\":\"other\"}"));
    String keys = "/v1/admin/organizations/" + other.text("id") + "/keys";
    Answer key = api.send(admin(keys, "{\"name\":\"k\"}"));
    HttpRequest request =
        api.request("/v1/events/stream")
            .header("Authorization", "Bearer " + key.text("key"))
            .header("Accept", "text/event-stream")
            .build();
    HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
    CompletableFuture<String> body =
        CompletableFuture.supplyAsync(
            () -> {
              try (InputStream in = response.body()) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    String id = live();

    assertThat(
            api.send(
                    api.request(keys + "/" + key.text("id"))
                        .header("Authorization", "Bearer " + RunningApi.ADMIN_KEY)
                        .DELETE())
                .status())
        .isEqualTo(204);

    await().atMost(java.time.Duration.ofSeconds(20)).until(body::isDone);
    assertThat(body.join()).contains("id: h1").doesNotContain(id);
  }

  private static HttpRequest.Builder admin(String path, String body) {
    return api.request(path)
        .header("Authorization", "Bearer " + RunningApi.ADMIN_KEY)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  @Test
  void timeTravel() {
    Instant before = Instant.now().minusSeconds(60);
    String id = live();
    String path = "/v1/sandboxes/" + id;
    String started = api.get(path + "/events?limit=2").body().at("/events/1/at").asText();

    Answer then = api.get(path + "?at=" + started);

    assertThat(then.status()).isEqualTo(200);
    assertThat(then.body().path("version").asInt()).isBetween(2, 4);
    assertThat(api.get(path + "?at=" + Instant.now().minusMillis(1)).body())
        .isEqualTo(api.get(path).body());
    assertThat(api.get(path + "?at=" + before).text("code")).isEqualTo("sandbox_not_found");
    assertThat(api.get(path + "?at=2999-01-01T00:00:00Z").status()).isEqualTo(400);
    assertThat(api.get(path + "?at=now").status()).isEqualTo(400);
  }
}
