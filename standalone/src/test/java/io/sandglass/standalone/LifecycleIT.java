package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A sandbox's life as its user sees it, against real Docker and a real broker. */
@ExtendWith(SharedSandglass.class)
class LifecycleIT {
  private static final Duration SOON = Duration.ofSeconds(60);

  private static SandglassProcess sandglass;
  private static ApiClient api;

  @BeforeAll
  static void start(SandglassProcess shared, ApiClient organization) {
    sandglass = shared;
    api = organization;
  }

  @Test
  void isCreatedRunsACommandAndExpires() {
    String id = api.create("{\"template\": \"python\", \"timeout\": \"5s\"}");
    assertThat(Containers.of(id)).hasSize(1);

    ApiClient.Answer executed = api.execute(id, "echo out; echo err >&2; exit 3").expect(200);
    assertThat(executed.body().get("exit_code").asInt()).isEqualTo(3);
    assertThat(executed.text("stdout")).isEqualTo("out\n");
    assertThat(executed.text("stderr")).isEqualTo("err\n");

    awaitGone(id);
    assertThat(types(id))
        .containsExactly(
            "SandboxRequested",
            "SandboxStarted",
            "ExecutionStarted",
            "ExecutionFinished",
            "StopRequested",
            "SandboxEnded");
    JsonNode stop = api.events(id).get(4);
    assertThat(stop.get("cause").asText()).isEqualTo("deadline");
    assertThat(stop.get("data").get("reason").asText()).isEqualTo("expired");
    JsonNode sandbox = api.get("/v1/sandboxes/" + id).expect(200).body();
    assertThat(sandbox.get("reason").asText()).isEqualTo("expired");
  }

  /**
   * An expiry is at most 250 ms late while the machine is idle; the median of several, since the
   * machine is shared.
   */
  @Test
  void expiresOnTime() {
    List<Long> lateness = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      String id = createToLiveForASecond();
      awaitGone(id);
      JsonNode stop =
          StreamSupport.stream(api.events(id).spliterator(), false)
              .filter(event -> event.get("type").asText().equals("StopRequested"))
              .findFirst()
              .orElseThrow();
      lateness.add(
          Duration.between(
                  Instant.parse(stop.get("due_at").asText()),
                  Instant.parse(stop.get("at").asText()))
              .toMillis());
    }
    lateness.sort(null);
    assertThat(lateness.get(0)).isNotNegative();
    assertThat(lateness.get(lateness.size() / 2))
        .as("lateness in ms: %s", lateness)
        .isLessThan(250);
  }

  @Test
  void isDestroyedInEveryState() throws Exception {
    String creating = api.post("/v1/sandboxes", "{\"template\": \"base\"}").expect(201).text("id");
    api.delete("/v1/sandboxes/" + creating).expect(204);

    String running = api.create("{\"template\": \"base\"}");
    api.delete("/v1/sandboxes/" + running).expect(204);
    assertThat(api.status(running)).isEqualTo("destroyed");
    api.delete("/v1/sandboxes/" + running).expect(204);

    String busy = api.create("{\"template\": \"base\"}");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ApiClient.Answer> execution = threads.submit(() -> api.execute(busy, "sleep 300"));
      Awaitility.await().atMost(SOON).until(() -> types(busy).contains("ExecutionStarted"));
      api.delete("/v1/sandboxes/" + busy).expect(204);
      assertThat(execution.get().status())
          .as("%s", execution.get().body())
          .isGreaterThanOrEqualTo(400);
    }

    for (String id : List.of(creating, running, busy)) {
      awaitGone(id);
      assertThat(types(id)).filteredOn("SandboxEnded"::equals).hasSize(1);
      api.delete("/v1/sandboxes/" + id).expect(204);
    }
    api.delete("/v1/sandboxes/sbx_00000000000000000000000000").expect(404);
  }

  @Test
  void twentyAreDestroyedAtOnceAndTwice() throws Exception {
    List<String> ids = new ArrayList<>();
    // Ten at a time: a slow machine would not start all within the patience with a start.
    while (ids.size() < 20) {
      ids.addAll(inParallel(10, _ -> () -> api.create("{\"template\": \"base\"}")));
    }
    // With so many at once some may be told to come back for the outcome.
    inParallel(
        40,
        i ->
            () ->
                assertThat(api.delete("/v1/sandboxes/" + ids.get(i % 20)).status()).isIn(202, 204));
    for (String id : ids) {
      awaitGone(id);
      assertThat(types(id)).filteredOn("SandboxEnded"::equals).hasSize(1);
      // A node that is slow to answer is asked again, as the event's cause says.
      assertThat(api.events(id))
          .filteredOn(event -> event.get("type").asText().equals("StopRequested"))
          .filteredOn(event -> event.get("cause").asText().equals("command"))
          .hasSize(1);
    }
  }

  /** Always alive after a 200 and gone after a 409, whoever wins. */
  @Test
  void aKeepAliveRacesTheExpiry() throws Exception {
    int racers = 10;
    int rounds = 4;
    Random seeds = new Random(20260101);
    long[] seed = IntStream.range(0, racers).mapToLong(_ -> seeds.nextLong()).toArray();
    List<Integer> alive = inParallel(racers, racer -> () -> race(new Random(seed[racer]), rounds));
    assertThat(alive.stream().mapToInt(Integer::intValue).sum())
        .as("races that the keep-alive won, of %d", racers * rounds)
        .isBetween(1, racers * rounds - 1);
  }

  private static int race(Random random, int rounds) {
    int alive = 0;
    String id = null;
    for (int round = 0; round < rounds; round++) {
      if (id == null) {
        id = createToLiveForASecond();
      }
      Instant expiry = Instant.parse(api.get("/v1/sandboxes/" + id).expect(200).text("expires_at"));
      Instant shot = expiry.plusMillis(random.nextInt(-60, 90));
      LockSupport.parkNanos(Duration.between(Instant.now(), shot).toNanos());
      ApiClient.Answer answer =
          api.post("/v1/sandboxes/" + id + "/keepalive", "{\"timeout\": \"1s\"}");
      String status = api.status(id);
      if (answer.status() == 200) {
        assertThat(status).as("after a keep-alive that was granted").isEqualTo("running");
        assertThat(Instant.parse(answer.text("expires_at"))).isAfter(expiry);
        alive++;
      } else {
        answer.expect(409);
        assertThat(status).as("after a keep-alive that came too late").isEqualTo("destroyed");
        awaitGone(id);
        id = null;
      }
    }
    return alive;
  }

  @Test
  void aDeadlineThatPassedWhileEverythingWasDownFiresOnReturnAndOnce() {
    String id = api.create("{\"template\": \"base\", \"timeout\": \"3s\"}");
    Instant expiry = Instant.parse(api.get("/v1/sandboxes/" + id).expect(200).text("expires_at"));
    sandglass.kill();
    LockSupport.parkNanos(Duration.between(Instant.now(), expiry.plusSeconds(1)).toNanos());
    sandglass.launch();
    sandglass.awaitReady();

    Awaitility.await().atMost(SOON).until(() -> Containers.of(id).isEmpty());
    Awaitility.await()
        .atMost(SOON)
        .until(() -> api.events(id).findValuesAsText("type").contains("SandboxEnded"));
    JsonNode events = api.events(id);
    assertThat(events.findValuesAsText("type"))
        .containsExactly("SandboxRequested", "SandboxStarted", "StopRequested", "SandboxEnded");
    assertThat(Instant.parse(events.get(2).get("due_at").asText())).isEqualTo(expiry);
    assertThat(Instant.parse(events.get(2).get("at").asText())).isAfter(expiry.plusSeconds(1));
  }

  /** From now on, however long its start has taken. */
  private static String createToLiveForASecond() {
    String id = api.create("{\"template\": \"base\"}");
    api.post("/v1/sandboxes/" + id + "/keepalive", "{\"timeout\": \"1s\"}").expect(200);
    return id;
  }

  private static void awaitGone(String id) {
    Awaitility.await("the end of " + id)
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(types(id)).contains("SandboxEnded");
              assertThat(api.status(id)).isEqualTo("destroyed");
              assertThat(Containers.of(id)).isEmpty();
            });
  }

  private static List<String> types(String id) {
    return api.events(id).findValuesAsText("type");
  }

  private interface Work<T> {
    Callable<T> of(int index);
  }

  private static <T> List<T> inParallel(int count, Work<T> work)
      throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<T>> futures =
          IntStream.range(0, count).mapToObj(i -> threads.submit(work.of(i))).toList();
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    }
  }
}
