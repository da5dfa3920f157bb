package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Containers that are started ahead, as a user sees them and as the host does. */
class WarmPoolIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int WARM = 3;

  @TempDir static Path data;
  private static SandglassProcess sandglass;
  private static ApiClient api;

  @BeforeAll
  static void start() {
    sandglass =
        SandglassProcess.start(
            data, Map.of("SANDGLASS_WARM", "\"sandglass/python:0.1.0\": " + WARM));
    api = sandglass.client();
  }

  @AfterAll
  static void stop() {
    sandglass.close();
  }

  @BeforeEach
  void awaitFull() {
    awaitSpares("sandglass/python:0.1.0", WARM);
  }

  private static void awaitSpares(String image, int count) {
    Awaitility.await(count + " of " + image)
        .atMost(SOON)
        .untilAsserted(() -> assertThat(running(image)).hasSize(count));
  }

  /** Until a heartbeat has told of them. */
  private static void awaitToldOf(String image, int count) {
    Awaitility.await(count + " of " + image + " in a heartbeat")
        .atMost(SOON)
        .untilAsserted(
            () -> {
              for (JsonNode pool :
                  sandglass.admin().get("/v1/admin/pools").expect(200).body().get("pools")) {
                if (pool.get("image").asText().equals(image)) {
                  assertThat(pool.get("ready").asInt()).isEqualTo(count);
                }
              }
            });
  }

  /** Ids of the containers that are ready, or all but. */
  private static List<String> running(String image) {
    // Docker's filter for an image takes those that are built from it, too.
    return Containers.docker(
            "ps",
            "--no-trunc",
            "--filter",
            "label=io.sandglass.node=" + sandglass.nodeId(),
            "--filter",
            "name=^/?pool-",
            "--format",
            "{{.ID}} {{.Image}}")
        .stream()
        .filter(line -> line.endsWith(" " + image))
        .map(line -> line.substring(0, line.indexOf(' ')))
        .toList();
  }

  private static String inspect(String sandbox, String format) {
    return Containers.docker("inspect", "-f", format, "sbx-" + sandbox + "-1").getFirst();
  }

  private static boolean wasSpare(String sandbox) {
    return !inspect(sandbox, "{{index .Config.Labels \"io.sandglass.spare\"}}.").equals(".");
  }

  private static boolean saysWarm(String sandbox) {
    for (JsonNode event : api.events(sandbox)) {
      if (event.get("type").asText().equals("SandboxStarted")) {
        return event.get("data").get("warm").asBoolean();
      }
    }
    throw new AssertionError(sandbox + " has not started");
  }

  /** What the kernel lets the sandbox reach names its address, or does not. */
  private static boolean isOpen(String sandbox) {
    String node = "label=io.sandglass.node=" + sandglass.nodeId();
    String table =
        Containers.docker("network", "ls", "--filter", node, "--format", "{{.Name}}").getFirst();
    String address = inspect(sandbox, "{{index .Config.Labels \"io.sandglass.address\"}}");
    return Containers.run("nft", "-nn", "list", "table", "inet", table).stream()
        .anyMatch(line -> line.matches(".*\\b" + address.replace(".", "\\.") + "\\b.*"));
  }

  /** Its container may get its name after the answer, and before its first command. */
  private static String create(String body) {
    String id = api.create(body);
    api.execute(id, "true").expect(200);
    return id;
  }

  private static void delete(String sandbox) {
    api.destroy(sandbox);
    Awaitility.await().atMost(SOON).until(() -> Containers.of(sandbox).isEmpty());
  }

  /** Of containers that were started ahead, also those that have become a sandbox's. */
  private static List<Path> directories() {
    try (Stream<Path> entries = Files.list(data.resolve("executor").resolve("s"))) {
      return entries.toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void eachBecomesOneSandboxHoweverManyAskAtOnce() throws Exception {
    List<String> ids = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> asked = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        asked.add(threads.submit(() -> create("{\"template\": \"python\"}")));
      }
      for (Future<String> one : asked) {
        ids.add(one.get());
      }
    }

    assertThat(ids.stream().map(id -> inspect(id, "{{.Id}}"))).doesNotHaveDuplicates();
    assertThat(ids).allSatisfy(id -> assertThat(Containers.of(id)).hasSize(1));
    assertThat(ids).allSatisfy(id -> assertThat(saysWarm(id)).isEqualTo(wasSpare(id)));
    assertThat(ids).filteredOn(WarmPoolIT::wasSpare).hasSizeGreaterThanOrEqualTo(WARM);
    for (String id : ids) {
      assertThat(api.execute(id, "touch /mine; ls /mine*").expect(200).text("stdout"))
          .isEqualTo("/mine\n");
    }
    ids.forEach(api::destroy);
    awaitFull();
    Awaitility.await("only the spares' directories")
        .atMost(SOON)
        .untilAsserted(() -> assertThat(directories()).hasSize(WARM));
  }

  @Test
  void oneThatIsSetAsideIsInTheDecision() {
    awaitToldOf("sandglass/python:0.1.0", WARM);
    String id = create("{\"template\": \"python\"}");

    JsonNode events = api.events(id);
    assertThat(events.findValuesAsText("type").subList(0, 2))
        .containsExactly("SandboxRequested", "SandboxStarted");
    assertThat(events.get(1).get("cause").asText()).isEqualTo("command");
    assertThat(events.get(1).get("at")).isEqualTo(events.get(0).get("at"));
    assertThat(wasSpare(id)).isTrue();
    delete(id);
  }

  @Test
  void oneHasTheSizeAndThePolicyThatItsSandboxAsksFor() {
    String closed =
        create(
            "{\"template\": \"python\", \"size\": \"shared-cpu-4x\", \"egress\": {\"mode\": \"deny_all\"}}");
    String open = create("{\"template\": \"python\", \"egress\": {\"mode\": \"allow_all\"}}");
    assertThat(List.of(closed, open)).allMatch(WarmPoolIT::wasSpare);

    String seen =
        """
        cd /sys/fs/cgroup
        if [ -d memory ]; then cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us
        else cat memory.max; cut -d' ' -f1 cpu.max; fi""";
    assertThat(api.execute(closed, seen).expect(200).text("stdout"))
        .isEqualTo((1L << 30) + "\n200000\n");
    assertThat(api.execute(open, seen).expect(200).text("stdout"))
        .isEqualTo((256L << 20) + "\n100000\n");
    assertThat(isOpen(open)).isTrue();
    assertThat(isOpen(closed)).isFalse();
    delete(closed);
    delete(open);
  }

  /** Until a heartbeat tells of the one that was taken and of the one in its place. */
  private static void awaitPools() {
    Awaitility.await("the pools as the administrator sees them")
        .atMost(SOON)
        .untilAsserted(
            () -> {
              JsonNode pools = sandglass.admin().get("/v1/admin/pools").expect(200).body();
              JsonNode quick = pools.get("pools").get(0);
              assertThat(quick.get("image").asText()).isEqualTo("sandglass/base:0.1.0");
              assertThat(quick.get("node").asText()).isEqualTo(sandglass.nodeId());
              assertThat(quick.get("templates").findValuesAsText("name"))
                  .containsExactly("base", "quick");
              assertThat(quick.get("wanted").asInt()).isEqualTo(2);
              assertThat(quick.get("ready").asInt()).isEqualTo(2);
              assertThat(quick.get("starting").asInt()).isZero();
              assertThat(quick.get("hits").asInt()).isEqualTo(1);
              assertThat(quick.get("misses").asInt()).isZero();
              assertThat(quick.get("hit_ratio").asDouble()).isEqualTo(1.0);
            });
  }

  @Test
  void allOfThemSurviveAKill() {
    String id = create("{\"template\": \"python\", \"timeout\": \"10m\"}");
    assertThat(wasSpare(id)).isTrue();
    api.execute(id, "echo kept > /kept").expect(200);
    awaitFull();
    List<String> spares = running("sandglass/python:0.1.0");

    sandglass.kill();
    sandglass.launch();
    sandglass.awaitReady();

    assertThat(api.execute(id, "cat /kept").expect(200).text("stdout")).isEqualTo("kept\n");
    String next = create("{\"template\": \"python\"}");
    assertThat(spares).contains(inspect(next, "{{.Id}}"));
    delete(id);
    delete(next);
  }

  @Test
  void aTemplateHasItsOwnWhileItIsThere() {
    api.post(
            "/v1/templates",
            "{\"name\": \"quick\", \"image\": \"sandglass/base:0.1.0\", \"warm\": 2}")
        .expect(201);
    awaitSpares("sandglass/base:0.1.0", 2);
    String id = create("{\"template\": \"quick\"}");
    assertThat(wasSpare(id)).isTrue();
    awaitPools();
    assertThat(api.get("/v1/sandboxes?template=quick").body().get("sandboxes")).hasSize(1);

    api.delete("/v1/templates/quick").expect(204);
    Awaitility.await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(Containers.sparesOn(sandglass.nodeId())).hasSize(WARM));
    assertThat(api.execute(id, "true").expect(200).body().get("exit_code").asInt()).isZero();
    delete(id);
  }
}
