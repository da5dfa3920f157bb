package io.sandglass.executor.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.sandglass.executor.files.FileEntry;
import io.sandglass.executor.files.FileException;
import io.sandglass.executor.files.FileFailure;
import io.sandglass.executor.files.GuestFiles;
import io.sandglass.executor.runtime.GuestBinary;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Host and guest together: the real executable, here as an ordinary process. */
@Timeout(60)
class GuestContractTest {

  private static final Duration LONG = Duration.ofSeconds(20);
  private static final GuestToken TOKEN =
      GuestToken.derive("0123456789abcdef".getBytes(StandardCharsets.US_ASCII), "sbx_1", 1);

  @TempDir Path directory;
  private GuestEndpoint endpoint;
  private Process guest;

  @BeforeEach
  void start() throws Exception {
    Path sandbox = Files.createDirectory(directory.resolve("sandbox"));
    GuestBinary.extract(directory.resolve("bin")).linkInto(sandbox);
    endpoint = GuestEndpoint.open(sandbox, TOKEN, GuestPatience.DEFAULT);
    ProcessBuilder builder =
        new ProcessBuilder(
            sandbox.resolve("guest").toString(), sandbox.resolve("host.sock").toString());
    builder.environment().put(GuestToken.VARIABLE, TOKEN.reveal());
    guest = builder.inheritIO().start();
    assertThat(endpoint.awaitReady(LONG)).isTrue();
  }

  @AfterEach
  void stop() throws Exception {
    guest.destroy();
    assertThat(guest.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
    endpoint.close();
  }

  private static GuestCommand command(String command) {
    return new GuestCommand("exe_1", command, "", LONG, Map.of());
  }

  private GuestResult.Exited exited(GuestCommand command, OutputSink sink) throws Exception {
    GuestResult result = endpoint.run(command, sink);
    assertThat(result).isInstanceOf(GuestResult.Exited.class);
    return (GuestResult.Exited) result;
  }

  private static <T> FutureTask<T> async(Callable<T> task) {
    FutureTask<T> future = new FutureTask<>(task);
    Thread.ofVirtual().start(future);
    return future;
  }

  /** Commands of this test sleep for a number of seconds that nobody else sleeps for. */
  private String seconds() {
    return "8" + guest.pid() + ".5";
  }

  private String sleep() {
    return "sleep " + seconds();
  }

  private long sleepers() {
    return ProcessHandle.allProcesses()
        .map(process -> process.info().arguments().orElse(new String[0]))
        .filter(arguments -> arguments.length == 1 && arguments[0].equals(seconds()))
        .count();
  }

  @Test
  void outputExitCodeDirectoryAndEnvironment() throws Exception {
    CollectingSink sink = new CollectingSink();
    GuestCommand command =
        new GuestCommand(
            "exe_1",
            "pwd; echo \"$A\"; env | grep -c " + GuestToken.VARIABLE + " >&2; exit 42",
            "/usr",
            LONG,
            Map.of("A", "ü =\n"));
    GuestResult.Exited exited = exited(command, sink);
    assertThat(exited.exitCode()).isEqualTo(42);
    assertThat(exited.timedOut()).isFalse();
    assertThat(exited.killed()).isFalse();
    assertThat(exited.duration()).isPositive().isLessThan(LONG);
    assertThat(exited.peakMemoryBytes()).isPositive();
    assertThat(sink.out()).isEqualTo("/usr\nü =\n\n");
    assertThat(sink.err()).isEqualTo("0\n");
    assertThat(exited(command("kill -TERM $$"), sink).exitCode()).isEqualTo(143);
  }

  private static GuestCommand fed(String command, byte[] input) {
    return new GuestCommand("exe_1", command, "", LONG, Map.of(), Optional.of(input), false);
  }

  /** The host ends, and the next one goes on where it was. */
  @Test
  void aDetachedExecutionOutlivesTheHost() throws Exception {
    GuestCommand command =
        new GuestCommand(
            "exe_d",
            "echo one; until [ -e \"$GO\" ]; do sleep 0.02; done; echo two; exit 7",
            "",
            LONG,
            Map.of("GO", directory.resolve("go").toString()),
            Optional.empty(),
            true);
    CollectingSink first = new CollectingSink();
    FutureTask<GuestResult> running = async(() -> endpoint.run(command, first));
    first.started.await();
    endpoint.close();
    assertThat(running.get()).isInstanceOf(GuestResult.Broken.class);
    endpoint = GuestEndpoint.open(directory.resolve("sandbox"), TOKEN, GuestPatience.DEFAULT);
    Files.createFile(directory.resolve("go"));

    CollectingSink whole = new CollectingSink();
    GuestResult result = endpoint.attach("exe_d", 0, 0, LONG).stream(whole);
    CollectingSink rest = new CollectingSink();
    GuestResult again = endpoint.attach("exe_d", 4, GuestEndpoint.NO_OUTPUT, LONG).stream(rest);

    assertThat(whole.out()).isEqualTo("one\ntwo\n");
    assertThat(rest.out()).isEqualTo("two\n");
    assertThat(((GuestResult.Exited) result).exitCode()).isEqualTo(7);
    assertThat(again).isEqualTo(result);
    endpoint.forget("exe_d");
    await()
        .untilAsserted(
            () ->
                assertThat(endpoint.attach("exe_d", 0, 0, LONG).stream(new CollectingSink()))
                    .isInstanceOfSatisfying(
                        GuestResult.Failed.class,
                        failed ->
                            assertThat(failed.failure())
                                .isEqualTo(GuestFailure.UNKNOWN_EXECUTION)));
  }

  @Test
  void standardInputArrivesWholeAndEnds() throws Exception {
    byte[] input = new byte[1 << 20];
    new Random(1).nextBytes(input);
    CollectingSink sink = new CollectingSink();

    assertThat(exited(fed("cat", input), sink).exitCode()).isZero();

    assertThat(sink.out.toByteArray()).isEqualTo(input);
    sink = new CollectingSink();
    assertThat(exited(fed("cat; echo end", new byte[0]), sink).exitCode()).isZero();
    assertThat(sink.out()).isEqualTo("end\n");
  }

  @Test
  void inputThatNobodyReadsHoldsUpNeitherTheEndNorAnAbort() throws Exception {
    byte[] input = new byte[1 << 20];
    assertThat(exited(fed("exit 5", input), new CollectingSink()).exitCode()).isEqualTo(5);
    GuestExecution execution = endpoint.prepare(fed(sleep(), input));
    CollectingSink sink = new CollectingSink();
    FutureTask<GuestResult> running = async(() -> execution.stream(sink));
    sink.started.await();
    execution.abort();
    running.get(LONG.toSeconds(), TimeUnit.SECONDS);
    await().untilAsserted(() -> assertThat(sleepers()).isZero());
  }

  @Test
  void timeoutTakesTheWholeTree() throws Exception {
    String tree = "setsid %1$s & (setsid sh -c '(%1$s &) & %1$s' &) ; %1$s".formatted(sleep());
    GuestCommand command = new GuestCommand("exe_1", tree, "", Duration.ofMillis(500), Map.of());
    GuestResult.Exited exited = exited(command, new CollectingSink());
    assertThat(exited.exitCode()).isEqualTo(124);
    assertThat(exited.timedOut()).isTrue();
    assertThat(exited.survivors()).isFalse();
    assertThat(sleepers()).isZero();
  }

  @Test
  void abortKillsAndTellsSo() throws Exception {
    GuestExecution execution = endpoint.prepare(command("setsid %1$s & %1$s".formatted(sleep())));
    FutureTask<GuestResult> running = async(() -> execution.stream(new CollectingSink()));
    await().atMost(LONG).until(() -> sleepers() == 2);
    execution.abort();
    assertThat(running.get(20, TimeUnit.SECONDS))
        .isInstanceOfSatisfying(
            GuestResult.Exited.class,
            exited -> {
              assertThat(exited.killed()).isTrue();
              assertThat(exited.exitCode()).isEqualTo(137);
            });
    assertThat(sleepers()).isZero();
  }

  @Test
  void aSinkThatFailsKillsTheTree() {
    OutputSink failing =
        new CollectingSink() {
          @Override
          public void stdout(byte[] bytes, int offset, int length) throws IOException {
            throw new IOException("client gone");
          }
        };
    assertThatThrownBy(
            () -> endpoint.run(command("setsid %1$s & echo; %1$s".formatted(sleep())), failing))
        .hasMessage("client gone");
    await().atMost(LONG).until(() -> sleepers() == 0);
  }

  @Test
  void backgroundProcessesOutliveTheirCommand() throws Exception {
    assertThat(exited(command(sleep() + " & exit 6"), new CollectingSink()).exitCode())
        .isEqualTo(6);
    // The shell may have ended before its child became the sleep.
    await().atMost(LONG).until(() -> sleepers() == 1);
  }

  @Test
  void failuresAreTyped() throws Exception {
    assertThat(
            endpoint.run(
                new GuestCommand("exe_1", "true", "/nonexistent", LONG, Map.of()),
                new CollectingSink()))
        .isInstanceOfSatisfying(
            GuestResult.Failed.class,
            failed -> assertThat(failed.failure()).isEqualTo(GuestFailure.WORKDIR_UNAVAILABLE));
    assertThat(endpoint.run(command(" ".repeat(200_000)), new CollectingSink()))
        .isInstanceOfSatisfying(
            GuestResult.Failed.class,
            failed -> assertThat(failed.failure()).isEqualTo(GuestFailure.CANNOT_EXEC));
    assertThat(endpoint.run(command("a\0b"), new CollectingSink()))
        .isInstanceOfSatisfying(
            GuestResult.Failed.class,
            failed -> assertThat(failed.failure()).isEqualTo(GuestFailure.BAD_REQUEST));
  }

  @Test
  void aKilledSupervisorIsBrokenAndLeavesNothing() throws Exception {
    assertThat(
            endpoint.run(
                command("setsid %1$s & kill -KILL $PPID; %1$s".formatted(sleep())),
                new CollectingSink()))
        .isInstanceOf(GuestResult.Broken.class);
    await().atMost(LONG).until(() -> sleepers() == 0);
    assertThat(exited(command("true"), new CollectingSink()).exitCode()).isZero();
  }

  @Test
  void aSlowSinkHoldsTheCommandBackAndLosesNothing() throws Exception {
    long[] seen = new long[1];
    OutputSink slow =
        new CollectingSink() {
          @Override
          public void stdout(byte[] bytes, int offset, int length) {
            seen[0] += length;
            LockSupport.parkNanos(200_000);
          }
        };
    assertThat(exited(command("head -c 30000000 /dev/zero"), slow).exitCode()).isZero();
    assertThat(seen[0]).isEqualTo(30_000_000);
  }

  @Test
  void filesGoInAndOut() throws Exception {
    byte[] content = new byte[3_000_000];
    new Random(7).nextBytes(content);
    String path = directory + "/made/for it/ü";
    GuestFiles files = endpoint.files();
    try (GuestFiles.Upload upload = files.upload(path, content.length)) {
      assertThat(upload.transferFrom(new ByteArrayInputStream(content))).isEqualTo(content.length);
      assertThat(Path.of(path)).doesNotExist();
      upload.complete();
    }
    assertThat(Path.of(path)).hasBinaryContent(content);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GuestFiles.Download download = files.download(path, content.length)) {
      assertThat(download.size()).isEqualTo(content.length);
      download.transferTo(out);
    }
    assertThat(out.toByteArray()).isEqualTo(content);
    GuestFiles.Listing listing = files.list(directory + "/made/for it", new byte[0], 10);
    assertThat(listing.entries())
        .singleElement()
        .satisfies(
            entry -> {
              assertThat(new String(entry.nameBytes(), StandardCharsets.UTF_8)).isEqualTo("ü");
              assertThat(entry.size()).isEqualTo(content.length);
              assertThat(entry.type()).isEqualTo(FileEntry.Type.FILE);
            });
    assertThatThrownBy(() -> files.download(path, content.length - 1))
        .isInstanceOfSatisfying(
            FileException.class, e -> assertThat(e.failure()).isEqualTo(FileFailure.TOO_LARGE));
    try (GuestFiles.Upload upload = files.upload(directory + "/never", 10)) {
      upload.transferFrom(new ByteArrayInputStream(new byte[5]));
    }
    assertThat(directory.resolve("never")).doesNotExist();
  }

  @Test
  void manyAtOnceKeepTheirOwnAnswers() throws Exception {
    List<FutureTask<GuestResult.Exited>> running = new ArrayList<>();
    List<CollectingSink> sinks = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      CollectingSink sink = new CollectingSink();
      GuestCommand command = command("echo " + i + "; exit " + i);
      sinks.add(sink);
      running.add(async(() -> exited(command, sink)));
    }
    for (int i = 0; i < 60; i++) {
      assertThat(running.get(i).get(30, TimeUnit.SECONDS).exitCode()).isEqualTo(i);
      assertThat(sinks.get(i).out()).isEqualTo(i + "\n");
    }
  }

  @Test
  void theGuestComesBackToARestartedHost() throws Exception {
    FutureTask<GuestResult> lost =
        async(() -> endpoint.run(command(sleep()), new CollectingSink()));
    await().atMost(LONG).until(() -> sleepers() == 1);
    endpoint.close();
    assertThat(lost.get(20, TimeUnit.SECONDS)).isInstanceOf(GuestResult.Broken.class);
    await().atMost(LONG).until(() -> sleepers() == 0);
    endpoint = GuestEndpoint.open(directory.resolve("sandbox"), TOKEN, GuestPatience.DEFAULT);
    assertThat(endpoint.awaitReady(LONG)).isTrue();
    assertThat(exited(command("exit 9"), new CollectingSink()).exitCode()).isEqualTo(9);
  }

  @Test
  void aDeadGuestIsUnreachable() throws Exception {
    guest.destroyForcibly().waitFor();
    assertThat(endpoint.run(command("true"), new CollectingSink()))
        .isInstanceOfSatisfying(
            GuestResult.Failed.class,
            failed -> assertThat(failed.failure()).isEqualTo(GuestFailure.GUEST_UNREACHABLE));
  }
}
