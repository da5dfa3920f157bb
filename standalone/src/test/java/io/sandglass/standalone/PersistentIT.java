package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sandboxes that sleep and wake, on real containers. */
class PersistentIT {
  private static final Duration SOON = Duration.ofSeconds(60);

  /** Counts, whatever its caller does; a line tells how far. */
  private static final String COUNT =
      "(i=0; while :; do i=$((i+1)); echo $i > /tmp/count.new; mv /tmp/count.new /tmp/count;"
          + " sleep 0.02; done) >/dev/null 2>&1 & echo $! > /tmp/pid";

  @TempDir static Path data;
  private static SandglassProcess sandglass;
  private static ApiClient api;
  private final List<String> made = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void start() {
    // 2150 MiB: with one of the size performance-1x, less than the reserve of 5 % is left.
    sandglass =
        SandglassProcess.start(
            data, Map.of("SANDGLASS_MEMORY_BYTES", "2254438400", "SANDGLASS_FREEZE_FOR", "10s"));
    api = sandglass.client();
  }

  @AfterEach
  void destroyAll() {
    made.forEach(api::destroy);
  }

  @AfterAll
  static void stop() {
    sandglass.close();
  }

  /**
   * Asks until the answer is there, and there is room: what ended before may still be in its way.
   */
  private String create(String idleTimeout) {
    String body =
        "{\"template\": \"base\", \"mode\": \"persistent\", \"idle_timeout\": \"%s\"}"
            .formatted(idleTimeout);
    Map<String, String> headers =
        Map.of("Prefer", "wait=60", "Idempotency-Key", UUID.randomUUID().toString());
    ApiClient.Answer answer =
        Awaitility.await("a sandbox")
            .atMost(SOON)
            .until(
                () -> api.post("/v1/sandboxes", body, headers), created -> created.status() == 201);
    String id = answer.text("id");
    made.add(id);
    Awaitility.await(id).atMost(SOON).until(() -> api.status(id).equals("running"));
    return id;
  }

  private static ApiClient.Answer suspend(String id) {
    return api.post("/v1/sandboxes/" + id + "/suspend", "");
  }

  private static ApiClient.Answer wake(String id) {
    return api.post("/v1/sandboxes/" + id + "/wake", "", Map.of("Prefer", "wait=60"));
  }

  private static String run(String id, String command) {
    ApiClient.Answer answer = api.execute(id, command).expect(200);
    assertThat(answer.body().get("exit_code").asInt()).as("%s", answer.body()).isZero();
    return answer.text("stdout").strip();
  }

  private static List<JsonNode> events(String id) {
    List<JsonNode> all = new ArrayList<>();
    while (true) {
      JsonNode page =
          api.get("/v1/sandboxes/" + id + "/events?limit=1000&after=" + all.size())
              .expect(200)
              .body()
              .get("events");
      page.forEach(all::add);
      if (page.size() < 1000) {
        return all;
      }
    }
  }

  private static List<String> types(String id) {
    return events(id).stream().map(event -> event.get("type").asText()).toList();
  }

  /** Sleeps at that depth by its history; looking at it is no activity. */
  private static void awaitAsleep(String id, String depth) {
    Awaitility.await(id + " is " + depth)
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(50))
        .untilAsserted(
            () -> {
              JsonNode last = events(id).getLast();
              assertThat(last.get("type").asText()).isEqualTo("SandboxSuspended");
              assertThat(last.get("data").get("depth").asText()).isEqualTo(depth);
            });
    assertThat(api.status(id)).isEqualTo("suspended");
  }

  private static String containerState(String id) {
    return Containers.docker("inspect", "--format", "{{.State.Status}}", "sbx-" + id + "-1")
        .getFirst();
  }

  private static JsonNode last(String id, String type) {
    return events(id).stream()
        .filter(event -> event.get("type").asText().equals(type))
        .reduce((_, later) -> later)
        .orElseThrow();
  }

  @Test
  void idleItFreezesAndCountsOnWhenItIsUsed() throws IOException {
    String id = create("1s");
    run(id, COUNT);
    String process = run(id, "cat /tmp/pid");
    awaitAsleep(id, "frozen");
    Containers.assertFrozen("sbx-" + id + "-1");
    JsonNode asked = last(id, "SuspendRequested");
    assertThat(asked.get("cause").asText()).isEqualTo("deadline");
    assertThat(asked.get("data").get("reason").asText()).isEqualTo("idle");
    assertThat(Instant.parse(asked.get("at").asText()))
        .isAfterOrEqualTo(Instant.parse(asked.get("due_at").asText()));
    ApiClient.Answer asleep = api.get("/v1/sandboxes/" + id).expect(200);
    assertThat(asleep.text("reason")).isEqualTo("idle");
    assertThat(asleep.text("suspended_at")).isEqualTo(asked.get("at").asText());

    int before = Integer.parseInt(run(id, "cat /tmp/count"));

    assertThat(types(id)).doesNotContain("SandboxEnded").contains("SandboxResumed");
    assertThat(run(id, "cat /tmp/pid")).isEqualTo(process);
    Awaitility.await("it counts on")
        .atMost(SOON)
        .until(() -> Integer.parseInt(run(id, "cat /tmp/count")) > before);
    assertThat(types(id)).doesNotContain("ResumeRequested");
    JsonNode woken = last(id, "SandboxResumed");
    assertThat(woken.get("cause").asText()).isEqualTo("command");
    assertThat(woken.get("actor").asText()).startsWith("key:");
  }

  @Test
  void everyUseWakesItAndGoesThrough() {
    String id = create("1h");
    run(id, "echo 1 > /root/one"); // which is JSON, as the client expects
    Map<String, Callable<ApiClient.Answer>> uses =
        Map.of(
            "upload", () -> api.post("/v1/sandboxes/" + id + "/upload?path=/root/f", "hello"),
            "download", () -> api.get("/v1/sandboxes/" + id + "/download?path=/root/one"),
            "files", () -> api.get("/v1/sandboxes/" + id + "/files?path=/root"),
            "execute", () -> api.execute(id, "true"));
    uses.forEach(
        (name, use) -> {
          suspend(id).expect(200);
          awaitAsleep(id, "frozen");
          assertThat(answer(use).status()).as(name).isBetween(200, 204);
          assertThat(api.status(id)).as(name).isEqualTo("running");
        });
    assertThat(run(id, "cat /root/f")).isEqualTo("hello");
    // Still falling asleep, or just waking, it is used all the same.
    for (int i = 0; i < 5; i++) {
      suspend(id).expect(200);
      assertThat(run(id, "cat /root/f")).isEqualTo("hello");
      suspend(id).expect(200);
      wake(id).expect(200);
      assertThat(run(id, "cat /root/f")).isEqualTo("hello");
    }
  }

  private static ApiClient.Answer answer(Callable<ApiClient.Answer> use) {
    try {
      return use.call();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatRunsHoldsItAwake() throws Exception {
    String id = create("1s");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<ApiClient.Answer> execution =
          threads.submit(() -> api.execute(id, "sleep 4; echo ok"));
      Awaitility.await().atMost(SOON).until(() -> types(id).contains("ExecutionStarted"));
      assertThat(suspend(id).expect(409).text("code")).isEqualTo("execution_in_flight");
      assertThat(execution.get().expect(200).text("stdout")).isEqualTo("ok\n");
    }
    awaitAsleep(id, "frozen");
    List<String> types = types(id);
    assertThat(types.indexOf("SuspendRequested")).isGreaterThan(types.indexOf("ExecutionFinished"));
    assertThat(types).containsOnlyOnce("SuspendRequested");
  }

  @Test
  void afterAWhileItsMemoryIsGivenBackAndItsFilesAreKept() {
    String id = create("1h");
    run(id, "echo kept > /root/f; " + COUNT);
    suspend(id).expect(200);
    awaitAsleep(id, "stopped");
    assertThat(containerState(id)).isEqualTo("exited");
    JsonNode asked = last(id, "SuspendRequested");
    assertThat(asked.get("cause").asText()).isEqualTo("deadline");
    assertThat(asked.get("data").toString()).contains("\"memory\"", "\"stopped\"");

    assertThat(
            run(
                id,
                "cat /root/f; a=$(cat /tmp/count); sleep 0.5; [ $a = $(cat /tmp/count) ] && echo gone"))
        .isEqualTo("kept\ngone");

    assertThat(last(id, "ResumeRequested").get("data").get("depth").asText()).isEqualTo("stopped");
  }

  @Test
  void aNodeThatRunsShortWantsTheMemoryBack() {
    String id =
        Awaitility.await("there is room for a large one")
            .atMost(SOON)
            .until(PersistentIT::large, Objects::nonNull);
    made.add(id);
    run(id, "echo kept > /root/f");
    suspend(id).expect(200);
    awaitAsleep(id, "stopped");
    JsonNode asked = last(id, "SuspendRequested");
    assertThat(asked.get("cause").asText()).isEqualTo("report");
    assertThat(asked.get("actor").asText()).startsWith("node:");
    assertThat(asked.get("data").get("reason").asText()).isEqualTo("memory");
    assertThat(api.get("/v1/sandboxes/" + id).expect(200).text("reason")).isEqualTo("memory");
    api.destroy(id);
    awaitGone(id);
  }

  /** One that takes almost all of the node; null while others are in its way. */
  private static String large() {
    ApiClient.Answer answer =
        api.post(
            "/v1/sandboxes",
            "{\"template\": \"base\", \"mode\": \"persistent\", \"size\": \"performance-1x\"}",
            Map.of("Prefer", "wait=60"));
    return answer.status() == 201 && answer.text("status").equals("running")
        ? answer.text("id")
        : null;
  }

  @Test
  void whoseMemoryIsLostTellsSoAndComesBackFromItsFiles() {
    String id = create("1h");
    run(id, "echo kept > /root/f; " + COUNT);
    suspend(id).expect(200);
    awaitAsleep(id, "frozen");

    Containers.docker("kill", "sbx-" + id + "-1");

    awaitAsleep(id, "stopped");
    assertThat(last(id, "SandboxSuspended").get("data").get("reason").asText()).isEqualTo("exited");
    assertThat(api.get("/v1/sandboxes/" + id).expect(200).text("reason")).isEqualTo("exited");
    assertThat(
            run(
                id,
                "cat /root/f; a=$(cat /tmp/count); sleep 0.5; [ $a = $(cat /tmp/count) ] && echo gone"))
        .isEqualTo("kept\ngone");
    assertThat(Containers.of(id)).hasSize(1);
  }

  @Test
  void asleepItIsDestroyed() {
    String id = create("1h");
    suspend(id).expect(200);
    awaitAsleep(id, "frozen");
    api.destroy(id);
    awaitGone(id);
    assertThat(api.execute(id, "true").expect(409).text("code")).isEqualTo("not_running");
    assertThat(wake(id).expect(409).text("code")).isEqualTo("cannot_wake");
    assertThat(suspend(id).expect(409).text("code")).isEqualTo("not_running");
  }

  private static void awaitGone(String id) {
    Awaitility.await("the end of " + id)
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(types(id)).contains("SandboxEnded");
              assertThat(Containers.of(id)).isEmpty();
            });
  }

  private static final int RACERS = 4;

  /** What may be asked of a sandbox at the same time. */
  private enum Call {
    SUSPEND,
    WAKE,
    EXECUTE,
    DESTROY
  }

  private record Asked(Call call, String marker, ApiClient.Answer answer) {}

  /**
   * Suspends, wakes, executes and destroys that race. {@code -Dsandglass.interleavings=} sets how
   * many rounds there are, {@code -Dsandglass.seed=} which.
   */
  @Test
  void racingCallsLoseNothing() throws Exception {
    int rounds = Integer.getInteger("sandglass.interleavings", 40);
    long seed = Long.getLong("sandglass.seed", 20261125);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> racers = new ArrayList<>();
      for (int racer = 0; racer < RACERS; racer++) {
        Random random = new Random(seed + racer);
        racers.add(threads.submit(() -> race(random, rounds / RACERS, threads)));
      }
      for (Future<?> racer : racers) {
        racer.get();
      }
    }
  }

  private Void race(Random random, int rounds, ExecutorService threads) throws Exception {
    String id = create("1h");
    List<Asked> history = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      List<Call> calls = new ArrayList<>();
      for (int n = random.nextInt(2, 5); n > 0; n--) {
        calls.add(
            switch (random.nextInt(20)) {
              case 0 -> Call.DESTROY;
              case 1, 2, 3, 4, 5, 6 -> Call.SUSPEND;
              case 7, 8, 9, 10 -> Call.WAKE;
              default -> Call.EXECUTE;
            });
      }
      List<Asked> answers = together(id, round, calls, random, threads);
      boolean destroyed = calls.contains(Call.DESTROY);
      for (Asked asked : answers) {
        check(id, asked, destroyed);
      }
      history.addAll(answers);
      if (destroyed) {
        awaitGone(id);
        checkEvents(id, history, true);
        id = create("1h");
        history.clear();
      }
    }
    String ran = run(id, "cat /root/log 2>/dev/null; true");
    for (Asked asked : history) {
      if (asked.call() == Call.EXECUTE) {
        assertThat(ran.lines()).as("%s ran", asked.marker()).containsOnlyOnce(asked.marker());
      }
    }
    assertThat(Containers.of(id)).hasSize(1);
    checkEvents(id, history, false);
    return null;
  }

  private static List<Asked> together(
      String id, int round, List<Call> calls, Random random, ExecutorService threads)
      throws Exception {
    List<Future<Asked>> futures = new ArrayList<>();
    for (int n = 0; n < calls.size(); n++) {
      Call call = calls.get(n);
      String marker = "m" + round + "-" + n;
      long head = TimeUnit.MICROSECONDS.toNanos(random.nextInt(30_000));
      futures.add(
          threads.submit(
              () -> {
                LockSupport.parkNanos(head);
                return new Asked(
                    call,
                    marker,
                    switch (call) {
                      case SUSPEND -> suspend(id);
                      case WAKE -> api.post("/v1/sandboxes/" + id + "/wake", "");
                      case EXECUTE -> api.execute(id, "echo " + marker + " >> /root/log");
                      case DESTROY -> api.delete("/v1/sandboxes/" + id);
                    });
              }));
    }
    List<Asked> answers = new ArrayList<>();
    for (Future<Asked> future : futures) {
      answers.add(future.get());
    }
    return answers;
  }

  private static void check(String id, Asked asked, boolean destroyed) {
    String code = asked.answer().status() < 300 ? "" : asked.answer().body().path("code").asText();
    String what = id + " " + asked.call() + " " + asked.answer();
    switch (asked.call()) {
      case DESTROY -> assertThat(asked.answer().status()).as(what).isEqualTo(204);
      case SUSPEND -> {
        assertThat(asked.answer().status()).as(what).isIn(200, 202, 409);
        assertThat(code).as(what).isIn("", "execution_in_flight", "not_running");
      }
      case WAKE -> {
        assertThat(asked.answer().status())
            .as(what)
            .isIn(destroyed ? List.of(200, 409) : List.of(200));
      }
      case EXECUTE -> {
        assertThat(asked.answer().status())
            .as(what)
            .isIn(destroyed ? List.of(200, 409) : List.of(200));
        if (asked.answer().status() == 200) {
          assertThat(asked.answer().body().get("exit_code").asInt()).as(what).isZero();
        }
      }
    }
  }

  /** Every execution is in the history once, and what was answered has its end there. */
  private static void checkEvents(String id, List<Asked> history, boolean destroyed) {
    long answered =
        history.stream()
            .filter(asked -> asked.call() == Call.EXECUTE && asked.answer().status() == 200)
            .count();
    Awaitility.await("the ends are told")
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(types(id).stream().filter("ExecutionFinished"::equals).count())
                    .isGreaterThanOrEqualTo(destroyed ? 0 : answered));
    List<JsonNode> events = events(id);
    Set<String> started = new HashSet<>();
    long version = 0;
    for (JsonNode event : events) {
      assertThat(event.get("version").asLong()).isEqualTo(++version);
      if (event.get("type").asText().equals("ExecutionStarted")) {
        assertThat(started.add(event.get("data").get("execution_id").asText())).isTrue();
      }
    }
    assertThat((long) started.size()).isGreaterThanOrEqualTo(answered);
    assertThat(events)
        .filteredOn(event -> event.get("type").asText().equals("SandboxEnded"))
        .hasSize(destroyed ? 1 : 0);
  }
}
