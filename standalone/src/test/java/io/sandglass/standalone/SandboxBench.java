package io.sandglass.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.LogConfig;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What agents wait for, beside what Docker alone takes for the same in the same run. Not a test: it
 * asserts nothing about time. {@code make bench} runs it on a machine that does nothing else. The
 * JVM has been at work for a while before: it compiles what runs often.
 */
class SandboxBench {
  private static final String IMAGE = "sandglass/base:0.1.0";
  private static final int WARM_UP = 15_000;
  private static final int MANY = 300;
  private static final int FEW = 20;
  private static final int SPARES = 2;

  /** Kept ready by default. */
  private static final int NETWORKS = 4;

  private static final long SETTLING_MILLIS = 300;
  private static final long IDLE_SECONDS = 10;
  private static final int FREEZE_SECONDS = 2;
  private static final int FILE_BYTES = 100 << 20;
  private static final int TRANSFERS = 15;
  private static final PrintStream OUT = System.out;

  @Test
  void measure(@TempDir Path data) throws Exception {
    Map<String, String> sleep = Map.of("SANDGLASS_FREEZE_FOR", FREEZE_SECONDS + "s");
    try (SandglassProcess sandglass = SandglassProcess.startMeasured(data, sleep);
        DockerClient docker = docker()) {
      ApiClient api = sandglass.client();
      Times.heading();
      execute(api, docker);
      coldStart(api, docker);
      wake(api, docker);
      warmStart(api, sandglass.nodeId());
      besideBombs(api);
      transfers(sandglass, data);
      idle(api, docker);
    }
  }

  private static void execute(ApiClient api, DockerClient docker) throws Exception {
    String id = api.create("{\"template\": \"base\", \"timeout\": \"1h\"}");
    String raw = rawContainer(docker);
    try {
      Times.Step ours = () -> api.execute(id, "true").expect(200);
      Times.Step floor = () -> exec(docker, raw, "true");
      Times.of(WARM_UP, ours);
      Times.of(FEW, floor);
      Times.of(MANY, ours).report("execute true (floor: docker exec)", Times.of(MANY / 3, floor));
    } finally {
      docker.removeContainerCmd(raw).withForce(true).exec();
      api.delete("/v1/sandboxes/" + id).expect(204);
    }
  }

  private static void coldStart(ApiClient api, DockerClient docker) throws Exception {
    List<String> ids = new ArrayList<>();
    List<String> raws = new ArrayList<>();
    Times.Step ours =
        () -> {
          String id = api.create("{\"template\": \"base\", \"timeout\": \"1h\"}");
          ids.add(id);
          api.execute(id, "true").expect(200);
        };
    Times.Step floor =
        () -> {
          String raw = rawContainer(docker);
          raws.add(raw);
          exec(docker, raw, "true");
        };
    try {
      Times.of(2, ours);
      Times.of(2, floor);
      Times.of(FEW, ours).report("cold create to first execute (floor: raw)", Times.of(FEW, floor));
    } finally {
      ids.forEach(id -> api.delete("/v1/sandboxes/" + id).expect(204));
      raws.forEach(raw -> docker.removeContainerCmd(raw).withForce(true).exec());
    }
  }

  /** From a sleeping sandbox to an execute's answer. */
  private static void wake(ApiClient api, DockerClient docker) throws Exception {
    String id =
        api.create("{\"template\": \"base\", \"mode\": \"persistent\", \"idle_timeout\": \"1h\"}");
    String raw = rawContainer(docker);
    try {
      Times.Step ours = () -> api.execute(id, "true").expect(200);
      Times.Step freeze = () -> suspend(api, id, "frozen");
      Times.Step pause = () -> pause(docker, raw);
      Times.Step unpause = () -> docker.unpauseContainerCmd(raw).exec();
      Times.Step exec = () -> exec(docker, raw, "true");
      Times.of(FEW, freeze, ours);
      Times frozen = Times.of(MANY / 3, freeze, ours);
      frozen.report("execute in a frozen one (floor: unpause)", Times.of(MANY / 3, pause, unpause));
      Times.Step unpauseAndExec =
          () -> {
            unpause.run();
            exec.run();
          };
      frozen.report(
          "execute in a frozen one (floor: unpause, exec)", Times.of(FEW, pause, unpauseAndExec));
      Times.Step stop = () -> docker.stopContainerCmd(raw).withTimeout(0).exec();
      Times.Step start = () -> docker.startContainerCmd(raw).exec();
      Times.Step startAndExec =
          () -> {
            start.run();
            exec.run();
          };
      Times stopped = Times.of(FEW / 2, () -> suspend(api, id, "stopped"), ours);
      stopped.report("execute in a stopped one (floor: start)", Times.of(FEW / 2, stop, start));
      stopped.report(
          "execute in a stopped one (floor: start, exec)", Times.of(FEW / 2, stop, startAndExec));
    } finally {
      docker.removeContainerCmd(raw).withForce(true).exec();
      api.delete("/v1/sandboxes/" + id).expect(204);
    }
  }

  /** The Engine hears late that a container was unpaused, and takes one for running then. */
  private static void pause(DockerClient docker, String id) throws Exception {
    Thread.sleep(SETTLING_MILLIS);
    docker.pauseContainerCmd(id).exec();
  }

  private static void suspend(ApiClient api, String id, String depth) throws Exception {
    api.post("/v1/sandboxes/" + id + "/suspend", "").expect(200);
    while (true) {
      JsonNode events = api.events(id);
      JsonNode last = events.get(events.size() - 1);
      if (last.get("type").asText().equals("SandboxSuspended")
          && last.get("data").get("depth").asText().equals(depth)) {
        return;
      }
      Thread.sleep(10);
    }
  }

  /** Each when as many are ready as are to be: what comes faster than that is a cold start. */
  private static void warmStart(ApiClient api, String node) throws Exception {
    api.post(
            "/v1/templates",
            "{\"name\": \"warm\", \"image\": \"%s\", \"warm\": %d}".formatted(IMAGE, SPARES))
        .expect(201);
    List<String> ids = new ArrayList<>();
    double[] millis = new double[MANY / 3];
    try {
      for (int run = -FEW; run < millis.length; run++) {
        awaitSpares(node);
        double took =
            Times.once(
                () -> {
                  String id = api.create("{\"template\": \"warm\", \"timeout\": \"1h\"}");
                  ids.add(id);
                  api.execute(id, "true").expect(200);
                });
        if (run >= 0) {
          millis[run] = took;
        }
        api.delete("/v1/sandboxes/" + ids.removeLast()).expect(204);
      }
    } finally {
      ids.forEach(id -> api.delete("/v1/sandboxes/" + id).expect(204));
      api.delete("/v1/templates/warm").expect(204);
    }
    Times.of(millis).report("warm create to first execute");
  }

  /**
   * Until they run, as do the networks that are kept for the next ones, and a moment longer: their
   * guests have to answer.
   */
  private static void awaitSpares(String node) throws InterruptedException {
    while (Containers.runningOn(node, "pool-") != SPARES
        || Containers.runningOn(node, "net-") != SPARES + NETWORKS) {
      Thread.sleep(50);
    }
    Thread.sleep(SETTLING_MILLIS);
  }

  private record Bomb(String name, String command) {}

  /** Each goes on until its sandbox is destroyed. */
  private static final List<Bomb> BOMBS =
      List.of(
          new Bomb("busy loop", "while :; do :; done"),
          new Bomb("fork bomb", "f() { f | f & }; f; sleep 600"),
          new Bomb(
              "memory bomb", "while :; do head -c 1000000000 /dev/zero | tail >/dev/null; done"),
          new Bomb(
              "disk bomb", "while :; do dd if=/dev/zero of=/bomb bs=1M count=500 conv=fsync; done"),
          new Bomb(
              "bomb of files",
              "while :; do mkdir /b; (cd /b; seq 20000 | xargs touch); rm -r /b; done"),
          new Bomb("output bomb", "yes"));

  /** Of a neighbour's execute, at its worst; the floor is its worst when it is alone. */
  private static void besideBombs(ApiClient api) throws Exception {
    String neighbour = api.create("{\"template\": \"base\", \"timeout\": \"1h\"}");
    try {
      Times.Step execute = () -> api.execute(neighbour, "true").expect(200);
      Times.of(FEW, execute);
      Times alone = Times.of(MANY, execute);
      for (Bomb bomb : BOMBS) {
        String id = api.create("{\"template\": \"base\", \"timeout\": \"1h\"}");
        CompletableFuture<ApiClient.Answer> exploding =
            CompletableFuture.supplyAsync(
                () ->
                    api.post(
                        "/v1/sandboxes/" + id + "/execute",
                        "{\"command\": \"%s\", \"timeout\": \"5m\"}".formatted(bomb.command())));
        Thread.sleep(SETTLING_MILLIS);
        Times beside = Times.of(MANY, execute);
        if (exploding.isDone()) {
          throw new AssertionError("the " + bomb.name() + " was over: " + exploding.join());
        }
        api.delete("/v1/sandboxes/" + id).expect(204);
        exploding.join();
        beside.report("execute beside a " + bomb.name() + " (p99; floor: alone)", alone, 0.99);
      }
    } finally {
      api.delete("/v1/sandboxes/" + neighbour).expect(204);
    }
  }

  /**
   * Files of 100 MiB between this host and one container, by curl and by {@code docker cp}: two
   * programs that each read or write the file. In turns, so that both see the same machine.
   */
  private static void transfers(SandglassProcess sandglass, Path data) throws Exception {
    ApiClient api = sandglass.client();
    String id = api.create("{\"template\": \"base\", \"timeout\": \"1h\"}");
    Path file = data.resolve("transfer");
    byte[] content = new byte[FILE_BYTES];
    new Random(1).nextBytes(content);
    Files.write(file, content);
    Path credentials = data.resolve("curl");
    Files.writeString(
        credentials,
        "header = \"Authorization: Bearer %s\"\n"
            .formatted(sandglass.credentials().get("SANDGLASS_API_KEY")));
    String files = sandglass.url() + "/v1/sandboxes/" + id;
    String copy = "sbx-" + id + "-1:/floor";
    try {
      both(
          "upload of 100 MiB (floor: docker cp)",
          () -> curl(credentials, "-XPOST", "-T" + file, files + "/upload?path=/ours"),
          () -> Containers.docker("cp", file.toString(), copy));
      both(
          "download of 100 MiB (floor: docker cp)",
          () -> curl(credentials, "-o" + file, files + "/download?path=/ours"),
          () -> Containers.docker("cp", copy, file.toString()));
    } finally {
      api.delete("/v1/sandboxes/" + id).expect(204);
    }
  }

  private static void both(String what, Times.Step ours, Times.Step floor) throws Exception {
    double[] own = new double[TRANSFERS];
    double[] other = new double[TRANSFERS];
    for (int run = -TRANSFERS / 3; run < TRANSFERS; run++) {
      double first = Times.once(ours);
      double second = Times.once(floor);
      if (run >= 0) {
        own[run] = first;
        other[run] = second;
      }
    }
    Times.of(own).report(what, Times.of(other));
  }

  private static void curl(Path credentials, String... arguments) {
    List<String> command =
        new ArrayList<>(List.of("curl", "-sS", "--fail", "-K", credentials.toString()));
    command.addAll(List.of(arguments));
    Containers.run(command.toArray(String[]::new));
  }

  private static void idle(ApiClient api, DockerClient docker) throws Exception {
    String id = api.create("{\"template\": \"base\", \"timeout\": \"1h\"}");
    try {
      api.execute(id, "true").expect(200);
      int pid =
          Math.toIntExact(
              docker.inspectContainerCmd("sbx-" + id + "-1").exec().getState().getPidLong());
      long before = status(pid, "voluntary_ctxt_switches");
      Thread.sleep(IDLE_SECONDS * 1000);
      long after = status(pid, "voluntary_ctxt_switches");
      OUT.printf(
          Locale.ROOT,
          "idle guest: %d kB resident, %.1f wake-ups a second%n",
          status(pid, "VmRSS"),
          (after - before) / (double) IDLE_SECONDS);
    } finally {
      api.delete("/v1/sandboxes/" + id).expect(204);
    }
  }

  private static long status(int pid, String field) throws IOException {
    return Files.readAllLines(Path.of("/proc", Integer.toString(pid), "status")).stream()
        .filter(line -> line.startsWith(field + ":"))
        .map(line -> line.replaceAll("[^0-9]", ""))
        .mapToLong(Long::parseLong)
        .findFirst()
        .orElseThrow();
  }

  private static DockerClient docker() {
    var config = DefaultDockerClientConfig.createDefaultConfigBuilder().build();
    return DockerClientImpl.getInstance(
        config, new ZerodepDockerHttpClient.Builder().dockerHost(config.getDockerHost()).build());
  }

  /** A container that runs, with the limits and the privileges of a sandbox. */
  private static String rawContainer(DockerClient docker) {
    String id =
        docker
            .createContainerCmd(IMAGE)
            .withName("bench-" + UUID.randomUUID())
            .withEntrypoint("sleep", "3600")
            .withHostConfig(
                HostConfig.newHostConfig()
                    .withCpuPeriod(100_000L)
                    .withCpuQuota(100_000L)
                    .withMemory(256L << 20)
                    .withMemorySwap(256L << 20)
                    .withPidsLimit(512L)
                    .withCapDrop(Capability.ALL)
                    .withSecurityOpts(List.of("no-new-privileges"))
                    .withLogConfig(new LogConfig(LogConfig.LoggingType.NONE)))
            .exec()
            .getId();
    docker.startContainerCmd(id).exec();
    return id;
  }

  private static void exec(DockerClient docker, String container, String command)
      throws InterruptedException {
    String exec =
        docker
            .execCreateCmd(container)
            .withCmd("/bin/sh", "-c", command)
            .withAttachStdout(true)
            .withAttachStderr(true)
            .exec()
            .getId();
    docker.execStartCmd(exec).exec(new ResultCallback.Adapter<Frame>()).awaitCompletion();
  }
}
