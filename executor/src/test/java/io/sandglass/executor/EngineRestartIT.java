package io.sandglass.executor;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.execution.EndpointChannels;
import io.sandglass.executor.network.Ipv4;
import io.sandglass.executor.network.Platform;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.network.Ranges;
import io.sandglass.executor.network.nft.HostCommands;
import io.sandglass.executor.network.nft.NftFirewall;
import io.sandglass.executor.runtime.Change;
import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.TestDocker;
import io.sandglass.executor.sandbox.EgressPolicy;
import io.sandglass.executor.sandbox.EgressPolicy.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Docker Engine of the test's own, with a network namespace of its own, is killed and stopped
 * while a sandbox connects in a loop. The executor's filter is in that namespace too, as with an
 * executor in a container.
 */
final class EngineRestartIT {
  private static final String NODE = "it-engine";
  private static final String IMAGE = "sandglass/debian:0.1.0";
  private static final String SPACE = "sgt-engine";
  private static final Path RUN = Path.of("/run/sgt-engine");
  private static final String HOST = "unix://" + RUN.resolve("docker.sock");
  private static final Path CONTAINERD = RUN.resolve("containerd.sock");
  private static final Path PID_FILE = RUN.resolve("docker.pid");
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String[] ENTER = {"nsenter", "--net=/run/netns/" + SPACE};

  private static final String LOOP =
      """
      while :; do
        for host in 198.51.100.10 203.0.113.130; do
          if timeout 2 bash -c ": >/dev/tcp/$host/80" 2>/dev/null; then echo "$host open"; else echo "$host closed"; fi
        done
      done >/said
      """;

  @TempDir Path data;

  private final List<AutoCloseable> made = new ArrayList<>();
  private DockerRuntime runtime;
  private Process containerd;
  private Process engine;

  @BeforeEach
  void startAnEngine() throws Exception {
    Files.createDirectories(RUN);
    HostPrograms.run("ip", "netns", "add", SPACE);
    made.add(() -> HostPrograms.run("ip", "netns", "del", SPACE));
    // Apart from the Engine, as on any host: the Engine may die, and this goes on.
    containerd =
        spawn(
            "containerd",
            "--root=" + data.resolve("containerd"),
            "--state=" + RUN.resolve("containerd"),
            "--address=" + CONTAINERD);
    launch();
    HostPrograms.run("sh", "-c", "docker save " + IMAGE + " | docker -H " + HOST + " load");
    made.add(TestInternet.behind("sgt-far", ENTER));
    runtime = TestDocker.runtimeAt(HOST, NODE);
    made.add(runtime);
  }

  private Process spawn(String... program) throws IOException {
    List<String> command = new ArrayList<>(List.of(ENTER));
    command.addAll(List.of(program));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(
            ProcessBuilder.Redirect.appendTo(data.resolve(program[0] + ".log").toFile()))
        .start();
  }

  private void launch() throws IOException {
    engine =
        spawn(
            "dockerd",
            "--live-restore",
            "--bridge=none",
            "--containerd=" + CONTAINERD,
            "--host=" + HOST,
            "--pidfile=" + PID_FILE,
            "--exec-root=" + RUN,
            "--data-root=" + data.resolve("docker"));
    Awaitility.await("the Engine")
        .atMost(SOON)
        .until(
            () ->
                new ProcessBuilder("docker", "-H", HOST, "version")
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                    == 0);
  }

  @AfterEach
  void leaveNothing() throws Exception {
    runtime.list().forEach(left -> runtime.remove(left.life()));
    for (Process process : List.of(engine, containerd)) {
      process.destroy();
      awaitEnd(process);
    }
    for (AutoCloseable one : made.reversed()) {
      one.close();
    }
    // What an Engine that was told to let containers live leaves behind.
    try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mounts"))) {
      mounts
          .map(line -> line.split(" ", -1)[1])
          .filter(point -> point.startsWith(RUN + "/") || point.startsWith(data.toString()))
          .sorted(Comparator.reverseOrder())
          .forEach(point -> HostPrograms.run("umount", "--lazy", point));
    }
    HostPrograms.run(
        "rm",
        "-rf",
        RUN.toString(),
        data.resolve("docker").toString(),
        data.resolve("containerd").toString());
  }

  @Test
  void theFilterHoldsAndSandboxesLiveOnWhileTheEngineIsAway() throws Exception {
    Range subnet = runtime.subnet();
    NftFirewall firewall =
        new NftFirewall(
            TestDocker.bridge(NODE),
            TestDocker.bridge(NODE),
            Platform.of(new Ranges(List.of(subnet)), List.of(), List.of(), List.of()),
            new HostCommands(Optional.of(PID_FILE)));
    firewall.establish(Map.of());
    Life life = new Life("sbx_engine0000000000000000000", 1);
    Ipv4 address = new Ipv4(subnet.first() + 2);
    Path guest = Files.createDirectories(data.resolve("guest"));
    EndpointChannels.in(data, Duration.ofSeconds(1)).install(guest);
    runtime.create(
        new ContainerSpec(
            life,
            "org_it",
            IMAGE,
            new ContainerSpec.Limits(1000, 128L << 20),
            address.toString(),
            guest,
            "token"));
    firewall.admit(
        address,
        new EgressPolicy(Mode.DENY_ALL, List.of(TestInternet.OTHER + "/32"), List.of(), List.of())
            .reach());
    runtime.start(life);
    docker("exec", "-d", life.containerName(), "bash", "-c", LOOP);
    String pid = docker("inspect", "-f", "{{.State.Pid}}", life.containerName());
    Path said = Path.of("/proc", pid, "root", "said");
    awaitMore(said);

    engine.destroyForcibly().onExit().join();
    awaitMore(said);
    launch();
    assertThat(phase(life)).contains(FoundContainer.Phase.RUNNING);
    assertThat(firewall.reassert()).as("it had to be put right").isFalse();
    awaitMore(said);

    engine.destroy();
    awaitEnd(engine);
    awaitMore(said);
    launch();
    assertThat(phase(life)).contains(FoundContainer.Phase.RUNNING);
    assertThat(firewall.reassert()).as("it had to be put right").isFalse();
    awaitMore(said);
    assertThat(docker("exec", life.containerName(), "echo", "alive")).isEqualTo("alive");

    assertThat(runtime.freeze(life)).isEqualTo(Change.DONE);
    long held = opened(said);
    engine.destroyForcibly().onExit().join();
    launch();
    assertThat(phase(life)).contains(FoundContainer.Phase.FROZEN);
    assertThat(opened(said)).as("it went on").isEqualTo(held);
    assertThat(runtime.thaw(life)).isEqualTo(Change.DONE);
    assertThat(docker("inspect", "-f", "{{.State.Status}}", life.containerName()))
        .isEqualTo("running");
    awaitMore(said);

    assertThat(Files.readAllLines(said))
        .contains(TestInternet.SERVER + " closed")
        .doesNotContain(TestInternet.SERVER + " open");
  }

  /** That it goes on trying, and reaches what it may. */
  private static void awaitMore(Path said) throws IOException {
    long before = Files.exists(said) ? opened(said) : 0;
    Awaitility.await("connections")
        .atMost(SOON)
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(() -> opened(said) > before + 5);
  }

  private static long opened(Path said) throws IOException {
    try (Stream<String> lines = Files.lines(said)) {
      return lines.filter((TestInternet.OTHER + " open")::equals).count();
    }
  }

  private static void awaitEnd(Process process) {
    process.onExit().orTimeout(SOON.toSeconds(), TimeUnit.SECONDS).join();
  }

  private Optional<FoundContainer.Phase> phase(Life life) {
    return runtime.find(life).map(FoundContainer::phase);
  }

  private static String docker(String... arguments) {
    return HostPrograms.run(
        Stream.concat(Stream.of("docker", "-H", HOST), Stream.of(arguments))
            .toArray(String[]::new));
  }
}
