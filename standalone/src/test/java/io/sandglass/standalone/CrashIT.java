package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole process is killed at random moments under a mix of calls; what was acknowledged stays
 * true. {@code -Dsandglass.kills=} sets how many times.
 */
class CrashIT {
  private static final int KILLS = Integer.getInteger("sandglass.kills", 3);
  private static final int CALLERS = 4;

  /** A create whose answer a caller saw. */
  private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();

  /** Idempotency key of every create, answered or not, to the sandbox that an answer named. */
  private final Map<String, Set<String>> byKey = new ConcurrentHashMap<>();

  /**
   * Markers that commands were asked to append to a file in their sandbox: sandbox to markers with
   * a 200.
   */
  private final Map<String, Set<String>> executed = new ConcurrentHashMap<>();

  private final Set<String> destroyed = ConcurrentHashMap.newKeySet();

  /** Those that someone asked to destroy: without an answer, either outcome is right. */
  private final Set<String> doomed = ConcurrentHashMap.newKeySet();

  @Test
  void whatWasAcknowledgedSurvivesKills(@TempDir Path data) throws Exception {
    long seed = Long.getLong("sandglass.seed", 7);
    Random random = new Random(seed);
    try (SandglassProcess sandglass = SandglassProcess.start(data)) {
      for (int kill = 0; kill < KILLS; kill++) {
        AtomicBoolean over = new AtomicBoolean();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
          ApiClient api = sandglass.client();
          List<Future<?>> callers = new ArrayList<>();
          for (int caller = 0; caller < CALLERS; caller++) {
            Random own = new Random(random.nextLong());
            String prefix = "k%d-%d-".formatted(kill, caller);
            callers.add(threads.submit(() -> call(api, own, prefix, over)));
          }
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(500, 4_000)));
          sandglass.kill();
          over.set(true);
          for (Future<?> caller : callers) {
            caller.get();
          }
        }
        sandglass.launch();
        sandglass.awaitReady();
      }
      verify(sandglass, seed);
    }
  }

  private void call(ApiClient api, Random random, String prefix, AtomicBoolean over) {
    for (int n = 0; !over.get(); n++) {
      try {
        switch (random.nextInt(6)) {
          case 0, 1 -> create(api, prefix + n);
          case 2, 3 -> execute(api, random, prefix + n);
          case 4 -> destroy(api, random);
          default -> keepAlive(api, random);
        }
      } catch (IOException e) {
        // The process was killed under the call: nothing was acknowledged.
      }
    }
  }

  private void create(ApiClient api, String key) throws IOException {
    byKey.putIfAbsent(key, ConcurrentHashMap.newKeySet());
    ApiClient.Answer answer =
        api.trySend(
            "POST",
            "/v1/sandboxes",
            creation(key),
            Map.of("Idempotency-Key", key, "Prefer", "wait=20"));
    if (answer.status() == 201) {
      acknowledged.add(answer.text("id"));
      byKey.get(key).add(answer.text("id"));
    }
  }

  private static String creation(String key) {
    return "{\"template\": \"base\", \"timeout\": \"20m\", \"metadata\": {\"key\": \""
        + key
        + "\"}}";
  }

  /** As a client retries: for as long as it hears that the outcome is not known yet. */
  private static ApiClient.Answer retried(ApiClient api, String key) {
    return Awaitility.await("the outcome of the create with key " + key)
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> api.post("/v1/sandboxes", creation(key), Map.of("Idempotency-Key", key)),
            answer -> answer.status() != 202 && answer.status() != 503)
        .expect(201);
  }

  private void execute(ApiClient api, Random random, String marker) throws IOException {
    String id = any(random);
    if (id == null) {
      return;
    }
    ApiClient.Answer answer =
        api.trySend(
            "POST",
            "/v1/sandboxes/" + id + "/execute",
            "{\"command\": \"echo " + marker + " >> /tmp/markers\"}",
            Map.of("Idempotency-Key", "exec-" + marker));
    if (answer.status() == 200) {
      assertThat(answer.body().get("exit_code").asInt()).isZero();
      executed.computeIfAbsent(id, _ -> ConcurrentHashMap.newKeySet()).add(marker);
    }
  }

  private void destroy(ApiClient api, Random random) throws IOException {
    String id = acknowledged.size() > 3 ? any(random) : null;
    if (id == null) {
      return;
    }
    doomed.add(id);
    if (api.trySend("DELETE", "/v1/sandboxes/" + id, null, Map.of()).status() == 204) {
      destroyed.add(id);
    }
  }

  private void keepAlive(ApiClient api, Random random) throws IOException {
    String id = any(random);
    if (id != null) {
      api.trySend("POST", "/v1/sandboxes/" + id + "/keepalive", "{\"timeout\": \"20m\"}", Map.of());
    }
  }

  private String any(Random random) {
    List<String> ids = List.copyOf(acknowledged);
    return ids.isEmpty() ? null : ids.get(random.nextInt(ids.size()));
  }

  private void verify(SandglassProcess sandglass, long seed) {
    ApiClient api = sandglass.client();
    assertThat(acknowledged).as("creates acknowledged (seed %d)", seed).isNotEmpty();

    // A retry of every create, answered or not, meets one sandbox and no second one.
    for (var entry : byKey.entrySet()) {
      ApiClient.Answer again = retried(api, entry.getKey());
      Set<String> ids = new HashSet<>(entry.getValue());
      ids.add(again.text("id"));
      assertThat(ids).as("sandboxes of key %s (seed %d)", entry.getKey(), seed).hasSize(1);
      JsonNode listed =
          api.get(
                  "/v1/sandboxes?status=creating&status=running&status=destroyed&metadata.key="
                      + entry.getKey())
              .expect(200)
              .body()
              .get("sandboxes");
      assertThat(listed).as("listed under key %s", entry.getKey()).hasSize(1);
    }

    // No container that the log does not know, or no longer.
    Awaitility.await("containers that the log does not know (seed " + seed + ")")
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(
            () ->
                assertThat(Containers.sandboxesOn(sandglass.nodeId()))
                    .doesNotHaveDuplicates()
                    .allSatisfy(id -> assertThat(api.status(id)).isIn("creating", "running")));

    for (String id : acknowledged) {
      List<String> types = api.events(id).findValuesAsText("type");
      assertThat(api.events(id).findValues("version").stream().map(JsonNode::asInt).toList())
          .as("versions of %s (seed %d)", id, seed)
          .isEqualTo(IntStream.rangeClosed(1, types.size()).boxed().toList());
      if (destroyed.contains(id)) {
        Awaitility.await()
            .atMost(Duration.ofSeconds(30))
            .untilAsserted(
                () ->
                    assertThat(api.events(id).findValuesAsText("type"))
                        .filteredOn("SandboxEnded"::equals)
                        .hasSize(1));
      } else if (!doomed.contains(id)) {
        assertThat(api.status(id))
            .as("%s, never destroyed (seed %d): %s", id, seed, api.events(id))
            .isEqualTo("running");
        Set<String> done = executed.getOrDefault(id, Set.of());
        String markers =
            api.execute(id, "cat /tmp/markers 2>/dev/null; true").expect(200).text("stdout");
        List<String> lines = markers.lines().toList();
        assertThat(lines)
            .as("what ran in %s, nothing twice (seed %d)", id, seed)
            .doesNotHaveDuplicates()
            .containsAll(done);
      }
    }
  }
}
