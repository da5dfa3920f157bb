package io.sandglass.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.execution.CommandRequest;
import io.sandglass.executor.execution.EndpointChannels;
import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.OutputSink;
import io.sandglass.executor.execution.OutputStreamName;
import io.sandglass.executor.execution.RecentExecutions;
import io.sandglass.executor.runtime.Change;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.DiskUse;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.docker.DockerRuntime;
import io.sandglass.executor.runtime.docker.TestDocker;
import io.sandglass.executor.sandbox.Capacity;
import io.sandglass.executor.sandbox.Depth;
import io.sandglass.executor.sandbox.Detached;
import io.sandglass.executor.sandbox.DiskWatch;
import io.sandglass.executor.sandbox.EgressPolicy;
import io.sandglass.executor.sandbox.Executions;
import io.sandglass.executor.sandbox.Executions.Admission;
import io.sandglass.executor.sandbox.FakeReports;
import io.sandglass.executor.sandbox.LifeDirectories;
import io.sandglass.executor.sandbox.Node;
import io.sandglass.executor.sandbox.NodeSettings;
import io.sandglass.executor.sandbox.Order;
import io.sandglass.executor.sandbox.Relist;
import io.sandglass.executor.sandbox.Report;
import io.sandglass.executor.sandbox.Residents;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node with real containers and real guests; only the log is not there. */
final class SandboxIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long OUTPUT_LIMIT = 10L * 1024 * 1024;
  private static final String NODE = "it-node";

  @TempDir Path data;

  private final FakeReports reports = new FakeReports();
  private final AtomicInteger versions = new AtomicInteger();
  private DockerRuntime runtime;
  private TestNetwork network;
  private Running running;
  private Life life;

  /** One process of the executor. */
  private record Running(Node node, Residents residents, Executions executions) {}

  @BeforeEach
  void begin() throws Exception {
    runtime = TestDocker.runtime(NODE);
    runtime.list().forEach(left -> runtime.remove(left.life()));
    network = TestNetwork.of(NODE, runtime);
    running = boot();
    life = new Life("sbx_" + UUID.randomUUID().toString().replace("-", "").substring(0, 26), 1);
  }

  private Running boot() throws Exception {
    Residents residents = new Residents();
    LifeDirectories directories = new LifeDirectories(data);
    Executions executions =
        new Executions(
            residents,
            directories,
            reports,
            new RecentExecutions(Duration.ofMinutes(10), InstantSource.system()),
            new Executions.Limits(32, OUTPUT_LIMIT));
    Node node =
        new Node(
            runtime,
            directories,
            EndpointChannels.in(data, Duration.ofMillis(1500)),
            residents,
            network.egress(directories),
            reports,
            new NodeSettings(
                NODE,
                new Capacity(64_000, 8L << 30, 50),
                new Limits(1000, 128L << 20),
                4,
                3,
                Duration.ofSeconds(20),
                Duration.ofSeconds(2),
                Duration.ofMillis(50),
                Duration.ofSeconds(1)),
            new Relist.Rhythm(
                Duration.ofMillis(500), Duration.ofSeconds(30), Duration.ofSeconds(30)),
            InstantSource.system(),
            new Detached(
                executions, residents, directories, Duration.ofSeconds(5), InstantSource.system()));
    node.relist().start();
    node.relist().first().get(60, TimeUnit.SECONDS);
    return new Running(node, residents, executions);
  }

  private void shutDown() throws Exception {
    running.node.lanes().close();
    running.node.pool().close();
    running.node.relist().stop();
    running.executions.close();
    running.residents.disconnectAll();
  }

  @AfterEach
  void end() throws Exception {
    shutDown();
    runtime.list().forEach(left -> runtime.remove(left.life()));
    network.close();
    runtime.close();
  }

  private Order.Subject subject() {
    return new Order.Subject(life, "org_it", versions.incrementAndGet(), Optional.empty());
  }

  private Order.Start start() {
    return new Order.Start(
        subject(), TestDocker.IMAGE, new Limits(1000, 128L << 20), EgressPolicy.ALLOW_ALL);
  }

  private void carryOut(Order order) throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    running.node.lanes().submit(order, done::countDown);
    assertThat(done.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  private void started() throws InterruptedException {
    carryOut(start());
    assertThat(reports.of(life, Report.Started.class)).isNotEmpty();
  }

  /** What a command wrote, and how it ended. */
  private record Outcome(ExecutionEnd end, String stdout, String stderr, Duration took) {}

  private static final class Collector implements OutputSink {
    private final Map<OutputStreamName, ByteArrayOutputStream> streams =
        new EnumMap<>(OutputStreamName.class);

    @Override
    public void accept(OutputStreamName stream, byte[] bytes, int offset, int length) {
      stream(stream).write(bytes, offset, length);
    }

    private ByteArrayOutputStream stream(OutputStreamName name) {
      return streams.computeIfAbsent(name, n -> new ByteArrayOutputStream());
    }

    private String text(OutputStreamName name) {
      return stream(name).toString(StandardCharsets.UTF_8);
    }
  }

  private Executions.Execution admitted(String command, Duration timeout) {
    CommandRequest request =
        new CommandRequest(
            "exe_" + UUID.randomUUID().toString().replace("-", ""),
            command,
            "",
            Map.of("GREETING", "hello"),
            timeout);
    Admission admission = running.executions.admit(life, request, Optional.empty());
    assertThat(admission).isInstanceOf(Admission.Admitted.class);
    return ((Admission.Admitted) admission).execution();
  }

  private Outcome run(String command, Duration timeout) throws InterruptedException {
    Collector collector = new Collector();
    long begun = System.nanoTime();
    ExecutionEnd end = admitted(command, timeout).run(collector);
    return new Outcome(
        end,
        collector.text(OutputStreamName.STDOUT),
        collector.text(OutputStreamName.STDERR),
        Duration.ofNanos(System.nanoTime() - begun));
  }

  /** How many processes of the sandbox are {@code sleep <seconds>}. */
  private int sleepers(int seconds) throws InterruptedException {
    String commands =
        run("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null").stdout();
    return Math.toIntExact(
        commands.lines().filter(line -> line.strip().equals("sleep " + seconds)).count());
  }

  private Outcome run(String command) throws InterruptedException {
    return run(command, Duration.ofSeconds(30));
  }

  @Test
  void runsCommandsAndTellsTheirEnds() throws Exception {
    started();

    Outcome outcome = run("echo $GREETING; echo trouble >&2; exit 3");

    assertThat(outcome.stdout()).isEqualTo("hello\n");
    assertThat(outcome.stderr()).isEqualTo("trouble\n");
    assertThat(outcome.end().exitCode()).isEqualTo(OptionalInt.of(3));
    assertThat(run("python3 -c 'print(6*7)'").stdout()).isEqualTo("42\n");
    assertThat(run("kill -SEGV $$").end().exitCode()).isEqualTo(OptionalInt.of(139));
    assertThat(run("exec /no/such/program").end().exitCode()).isEqualTo(OptionalInt.of(127));
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(reports.of(life, Report.ExecutionEnded.class)).hasSize(4));
  }

  private void assertEndedFor(String command, String why) throws Exception {
    var watch =
        new DiskWatch(
            runtime,
            new LifeDirectories(data),
            running.residents,
            new DiskUse(8L << 20, 2000),
            Duration.ofMillis(200),
            InstantSource.system());
    started();
    run("head -c 1M /dev/urandom > /small; truncate -s 1T /sparse; ln /small /again");
    DiskUse use = runtime.disk(life).orElseThrow();
    assertThat(use.bytes()).isBetween(1L << 20, 2L << 20);
    assertThat(use.files()).isBetween(3L, 100L);
    watch.start();
    try {
      admitted(command, Duration.ofMinutes(10)).run(new Collector());
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(reports.of(life, Report.Exited.class))
                      .singleElement()
                      .extracting(Report.Exited::detail)
                      .asString()
                      .contains(why));
    } finally {
      watch.stop();
    }
  }

  @Test
  void aSandboxThatFillsTheDiskIsEndedAndToldWhy() throws Exception {
    assertEndedFor(
        "cat /dev/urandom | head -c 64M > /large; sync; sleep 600", "more than its " + (8L << 20));
  }

  @Test
  void aSandboxThatMakesTooManyFilesIsEndedHoweverItMovesThem() throws Exception {
    assertEndedFor(
        """
        python3 - <<'E'
        import os
        deep = '/' + '/'.join('abcdefghijkl')
        os.makedirs(deep)
        for i in range(3000):
            os.symlink('nowhere', f'{deep}/{i}')
        while True:
            os.rename('/a/b/c', '/a/c')
            os.rename('/a/c', '/a/b/c')
        E
        """,
        "files");
  }

  /** As the files of its control groups, of either version, and its shell tell. */
  private static final String LIMITS_SEEN =
      """
      cd /sys/fs/cgroup
      if [ -d memory ]; then
        echo cpu $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)
        echo memory $(cat memory/memory.limit_in_bytes)
        echo swap $(($(cat memory/memory.memsw.limit_in_bytes) - $(cat memory/memory.limit_in_bytes)))
        echo pids $(cat pids/pids.max)
      else
        echo cpu $(cat cpu.max)
        echo memory $(cat memory.max)
        echo swap $(cat memory.swap.max)
        echo pids $(cat pids.max)
      fi
      echo files $(ulimit -n)
      echo core $(ulimit -c)
      """;

  private static final Limits ODD = new Limits(1500, 192L << 20);

  private void assertSeesItsLimits() throws Exception {
    assertThat(run(LIMITS_SEEN).stdout().lines())
        .containsExactly(
            "cpu 150000 100000",
            "memory " + (192L << 20),
            "swap 0",
            "pids 256",
            "files 4096",
            "core 0");
  }

  @Test
  void aSizeIsALimitThatTheSandboxSees() throws Exception {
    carryOut(new Order.Start(subject(), TestDocker.IMAGE, ODD, EgressPolicy.ALLOW_ALL));

    assertSeesItsLimits();
  }

  @Test
  void aContainerThatWasStartedAheadIsLikeAnyOther() throws Exception {
    running.node.pool().keep(Map.of(TestDocker.IMAGE, 1));
    awaitReady();
    carryOut(new Order.Start(subject(), TestDocker.IMAGE, ODD, EgressPolicy.ALLOW_ALL));

    assertThat(reports.of(life, Report.Started.class)).containsExactly(new Report.Started(true));
    assertSeesItsLimits();
    run("echo kept > /kept");

    awaitReady();
    running.node.pool().keep(Map.of());
    carryOut(new Order.Suspend(subject(), Depth.STOPPED));
    shutDown();
    running = boot();
    running.node.pool().keep(Map.of());
    carryOut(new Order.Resume(subject()));
    assertThat(run("cat /kept").stdout()).isEqualTo("kept\n");
    assertSeesItsLimits();

    carryOut(new Order.Stop(subject()));
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(runtime.list()).isEmpty();
              assertThat(data.resolve("s")).isEmptyDirectory();
            });
  }

  private void awaitReady() {
    await()
        .atMost(PATIENCE)
        .until(() -> running.node.pool().stock().get(TestDocker.IMAGE).ready() == 1);
  }

  @Test
  void dropsWhatFloodsWithoutKeepingIt() throws Exception {
    started();
    Runtime jvm = Runtime.getRuntime();
    long[] passed = {0};
    long[] most = {0};
    OutputSink counting =
        (stream, bytes, offset, length) -> {
          passed[0] += length;
          most[0] = Math.max(most[0], jvm.totalMemory() - jvm.freeMemory());
        };

    long begun = System.nanoTime();
    ExecutionEnd end =
        admitted("head -c 3221225472 /dev/zero", Duration.ofMinutes(4)).run(counting);
    Duration took = Duration.ofNanos(System.nanoTime() - begun);

    assertThat(end.exitCode()).isEqualTo(OptionalInt.of(0));
    assertThat(end.stdoutBytes()).isEqualTo(3221225472L);
    assertThat(end.truncated()).isTrue();
    assertThat(passed[0]).isEqualTo(OUTPUT_LIMIT);
    assertThat(most[0]).isLessThan(400L << 20);
    assertThat(took).isLessThan(Duration.ofMinutes(2));
  }

  @Test
  void leavesNothingOfATimedOutTree() throws Exception {
    started();

    Outcome outcome =
        run(
            "for i in 1 2 3; do (setsid sh -c 'sleep 4711 & sleep 4711' &) ; done;"
                + " nohup sleep 4711 >/dev/null 2>&1 & sleep 4711",
            Duration.ofSeconds(1));

    assertThat(outcome.end().exitCode()).isEqualTo(OptionalInt.of(124));
    assertThat(outcome.end().timedOut()).isTrue();
    assertThat(outcome.took()).isLessThan(Duration.ofSeconds(3));
    assertThat(sleepers(4711)).isZero();
  }

  @Test
  void waitsForACommandThatClosesItsStreams() throws Exception {
    started();

    Outcome outcome = run("exec >&- 2>&-; sleep 1; exit 5");

    assertThat(outcome.end().exitCode()).isEqualTo(OptionalInt.of(5));
    assertThat(outcome.took()).isGreaterThan(Duration.ofMillis(900));
  }

  @Test
  void survivesItsCommandsLackOfMemory() throws Exception {
    started();

    Outcome outcome = run("python3 -c 'x = bytearray(1 << 30); print(len(x))'");

    assertThat(outcome.end().exitCode()).isEqualTo(OptionalInt.of(137));
    assertThat(run("echo alive").stdout()).isEqualTo("alive\n");
  }

  @Test
  void killsTheCommandWhoseCallerIsGone() throws Exception {
    started();
    OutputSink gone =
        (stream, bytes, offset, length) -> {
          throw new IOException("the caller is gone");
        };

    ExecutionEnd end = admitted("echo x; sleep 4712", Duration.ofSeconds(30)).run(gone);

    assertThat(end.exitCode()).isEmpty();
    assertThat(end.failure()).contains("aborted: the caller went away");
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(sleepers(4712)).isZero());
  }

  @Test
  void findsItsSandboxesAfterARestart() throws Exception {
    started();
    run("echo kept > /tmp/file");
    shutDown();

    running = boot();

    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(reports.of(life, Report.Observed.class))
                    .extracting(Report.Observed::phase)
                    .containsExactly("running"));
    assertThat(run("cat /tmp/file").stdout()).isEqualTo("kept\n");
    carryOut(start());
    assertThat(runtime.list(life.sandboxId())).hasSize(1);
    assertThat(run("cat /tmp/file").stdout()).isEqualTo("kept\n");
  }

  @Test
  void sleepsAndWakes() throws Exception {
    started();
    run("echo kept > /root/file; (sleep 4713 &)");

    carryOut(new Order.Suspend(subject(), Depth.FROZEN));
    assertThat(phase()).isEqualTo(FoundContainer.Phase.FROZEN);
    assertThat(running.executions.admit(life, request(), Optional.empty()))
        .isInstanceOf(Admission.Denied.class);
    carryOut(new Order.Resume(subject()));
    assertThat(sleepers(4713)).isEqualTo(1);

    carryOut(new Order.Suspend(subject(), Depth.FROZEN));
    carryOut(new Order.Suspend(subject(), Depth.STOPPED));
    assertThat(phase()).isEqualTo(FoundContainer.Phase.EXITED);
    carryOut(new Order.Resume(subject()));
    assertThat(run("cat /root/file").stdout()).isEqualTo("kept\n");

    assertThat(reports.of(life, Report.Suspended.class))
        .extracting(Report.Suspended::depth)
        .containsExactly(Depth.FROZEN, Depth.FROZEN, Depth.STOPPED);
    assertThat(reports.of(life, Report.Resumed.class)).hasSize(2);
    assertThat(reports.of(life, Report.Exited.class)).isEmpty();
  }

  private FoundContainer.Phase phase() {
    return runtime.find(life).orElseThrow().phase();
  }

  private static CommandRequest request() {
    return new CommandRequest("exe_x", "true", "", Map.of(), Duration.ofSeconds(1));
  }

  @Test
  void removesAllOfItTwice() throws Exception {
    started();

    carryOut(new Order.Stop(subject()));
    carryOut(new Order.Stop(subject()));

    assertThat(runtime.list(life.sandboxId())).isEmpty();
    assertThat(data.resolve("s")).isEmptyDirectory();
    assertThat(reports.of(life, Report.Gone.class)).hasSize(2);
  }

  @Test
  void tellsWhenSomebodyElseRemovesIt() throws Exception {
    started();

    runtime.remove(life);

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(reports.of(life, Report.Gone.class)).hasSize(1));
  }

  @Test
  void tellsWhenItEndsByItself() throws Exception {
    started();

    runtime.stop(life, Duration.ofSeconds(2)); // from outside, as docker stop would

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(reports.of(life, Report.Exited.class)).hasSize(1));
    assertThat(runtime.find(life)).isPresent();
  }

  @Test
  void endsWhenItLosesItsNetworkAndStartsWithAnother() throws Exception {
    started();
    String address = runtime.find(life).flatMap(FoundContainer::address).orElseThrow();

    runtime.closeNetwork(address);

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(reports.of(life, Report.Exited.class)).hasSize(1));
    assertThat(reports.of(life, Report.Exited.class).getFirst().detail())
        .contains("lost their network");
    assertThat(runtime.start(life)).isEqualTo(Change.DONE);
    assertThat(runtime.networks()).containsEntry(address, true);
  }
}
