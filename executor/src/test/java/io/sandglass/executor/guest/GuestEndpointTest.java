package io.sandglass.executor.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The host against guests that lie, stall, flood and babble. */
@Timeout(60)
class GuestEndpointTest {

  private static final Duration LONG = Duration.ofSeconds(20);
  private static final GuestPatience QUICK =
      new GuestPatience(
          Duration.ofMillis(200),
          Duration.ofMillis(20),
          Duration.ofMillis(500),
          Duration.ofMillis(300),
          Duration.ofMillis(300),
          Duration.ofMillis(300),
          Duration.ofSeconds(5));
  private static final GuestToken TOKEN =
      GuestToken.derive("0123456789abcdef".getBytes(StandardCharsets.US_ASCII), "sbx_1", 1);

  @TempDir Path directory;
  private GuestEndpoint endpoint;

  @BeforeEach
  void open() throws IOException {
    endpoint = GuestEndpoint.open(directory, TOKEN, QUICK);
  }

  @AfterEach
  void close() throws IOException {
    endpoint.close();
  }

  private static GuestCommand command(Duration timeout) {
    return new GuestCommand("exe_1", "true", "", timeout, Map.of());
  }

  private ScriptedGuest offer() throws IOException, InterruptedException {
    ScriptedGuest guest = ScriptedGuest.offer(directory, TOKEN.reveal());
    assertThat(endpoint.awaitReady(LONG)).isTrue();
    return guest;
  }

  private static <T> FutureTask<T> async(Callable<T> task) {
    FutureTask<T> future = new FutureTask<>(task);
    Thread.ofVirtual().start(future);
    return future;
  }

  private FutureTask<GuestResult> run(OutputSink sink) {
    return async(() -> endpoint.run(command(Duration.ofSeconds(10)), sink));
  }

  private static GuestResult result(FutureTask<GuestResult> running) throws Exception {
    return running.get(LONG.toSeconds(), TimeUnit.SECONDS);
  }

  /** Offers, takes the request, says {@code bytes} and closes. */
  private GuestResult answering(OutputSink sink, byte[]... bytes) throws Exception {
    try (ScriptedGuest guest = offer()) {
      FutureTask<GuestResult> running = run(sink);
      guest.awaitRun();
      try {
        guest.send(bytes);
        guest.channel.shutdownOutput();
      } catch (IOException e) {
        // cut before all was said
      }
      return result(running);
    }
  }

  @Test
  void sendsTheWholeRequest() throws Exception {
    try (ScriptedGuest guest = offer()) {
      FutureTask<GuestResult> running =
          async(
              () ->
                  endpoint.run(
                      new GuestCommand(
                          "exe_ü", "echo hi", "/w", Duration.ofMillis(70_001), Map.of("A", "b=c")),
                      new CollectingSink()));
      ByteBuffer run = guest.awaitRun();
      assertThat(new String(Frames.text(run), StandardCharsets.UTF_8)).isEqualTo("exe_ü");
      assertThat(new String(Frames.text(run), StandardCharsets.UTF_8)).isEqualTo("echo hi");
      assertThat(new String(Frames.text(run), StandardCharsets.UTF_8)).isEqualTo("/w");
      assertThat(run.getInt()).isEqualTo(70_001);
      assertThat(run.get()).isZero();
      assertThat(run.getShort()).isEqualTo((short) 1);
      assertThat(new String(Frames.text(run), StandardCharsets.UTF_8)).isEqualTo("A");
      assertThat(new String(Frames.text(run), StandardCharsets.UTF_8)).isEqualTo("b=c");
      assertThat(run.hasRemaining()).isFalse();
      guest.send(ScriptedGuest.started(), ScriptedGuest.exit(3, 0));
      assertThat(result(running))
          .isInstanceOfSatisfying(
              GuestResult.Exited.class, exited -> assertThat(exited.exitCode()).isEqualTo(3));
    }
  }

  @Test
  void passesOutputOnAsItComes() throws Exception {
    CollectingSink sink = new CollectingSink();
    GuestResult result =
        answering(
            sink,
            ScriptedGuest.started(),
            ScriptedGuest.frame('O', (byte) 'a'),
            ScriptedGuest.frame('E', (byte) 'x'),
            ScriptedGuest.frame('O', (byte) 'b'),
            ScriptedGuest.exit(124, Frames.EXIT_TIMED_OUT));
    assertThat(sink.out()).isEqualTo("ab");
    assertThat(sink.err()).isEqualTo("x");
    assertThat(result)
        .isInstanceOfSatisfying(
            GuestResult.Exited.class,
            exited -> {
              assertThat(exited.exitCode()).isEqualTo(124);
              assertThat(exited.timedOut()).isTrue();
              assertThat(exited.killed()).isFalse();
            });
  }

  @Test
  void aRefusalIsAFailureAndALateOneIsBroken() throws Exception {
    assertThat(
            answering(
                new CollectingSink(), ScriptedGuest.error("workdir_unavailable", "No\u001bsuch")))
        .isEqualTo(new GuestResult.Failed(GuestFailure.WORKDIR_UNAVAILABLE, "No?such"));
    assertThat(
            answering(
                new CollectingSink(),
                ScriptedGuest.started(),
                ScriptedGuest.error("no_resources", "late")))
        .isInstanceOf(GuestResult.Broken.class);
    assertThat(answering(new CollectingSink(), ScriptedGuest.error("surprise", "new")))
        .isInstanceOf(GuestResult.Broken.class);
  }

  static List<byte[][]> nonsense() {
    byte[] s = ScriptedGuest.started();
    byte[] longDuration = ScriptedGuest.exit(0, 0);
    Arrays.fill(longDuration, 8, 16, (byte) 0xff);
    return List.of(
        new byte[][] {},
        new byte[][] {s},
        new byte[][] {ScriptedGuest.exit(0, 0)},
        new byte[][] {ScriptedGuest.frame('O', (byte) 1), s, ScriptedGuest.exit(0, 0)},
        new byte[][] {s, s, ScriptedGuest.exit(0, 0)},
        new byte[][] {s, ScriptedGuest.frame('O'), ScriptedGuest.exit(0, 0)},
        new byte[][] {s, ScriptedGuest.frame('X', new byte[26])},
        new byte[][] {s, ScriptedGuest.frame('X', new byte[28])},
        new byte[][] {s, ScriptedGuest.exit(0, Frames.EXIT_TIMED_OUT)},
        new byte[][] {s, longDuration},
        new byte[][] {s, ScriptedGuest.hello(1, TOKEN.reveal())},
        new byte[][] {s, ScriptedGuest.frame('Z')},
        new byte[][] {ScriptedGuest.frame('S', (byte) 1)},
        new byte[][] {s, {'O', 0, 1, 0, 1}, new byte[65537]},
        new byte[][] {s, {'O', (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff}},
        new byte[][] {s, {'O', 0, 0, 0, 9, 1}},
        new byte[][] {s, {'X', 0, 0}},
        new byte[][] {ScriptedGuest.frame('F', new byte[] {0, 0, 0, 9, 1})},
        new byte[][] {ScriptedGuest.frame('F', new byte[] {-1, -1, -1, -1})},
        new byte[][] {ScriptedGuest.frame('F', new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 1})});
  }

  @ParameterizedTest
  @MethodSource
  void nonsense(byte[][] said) throws Exception {
    assertThat(answering(new CollectingSink(), said)).isInstanceOf(GuestResult.Broken.class);
  }

  @Test
  void randomBytesNeverBecomeAnExitCode() throws Exception {
    long seed = Long.getLong("sandglass.seed", 20261123L);
    Random random = new Random(seed);
    byte[] good =
        join(
            ScriptedGuest.started(),
            ScriptedGuest.frame('O', "hello".getBytes(StandardCharsets.US_ASCII)),
            ScriptedGuest.exit(0, 0));
    for (int round = 0; round < 400; round++) {
      byte[] said;
      if (round % 2 == 0) {
        said = new byte[random.nextInt(300)];
        random.nextBytes(said);
      } else {
        said = Arrays.copyOf(good, 1 + random.nextInt(good.length));
        said[random.nextInt(said.length)] = (byte) random.nextInt();
      }
      GuestResult result = answering(new CollectingSink(), said);
      boolean complete = said.length == good.length;
      if (!complete) {
        assertThat(result)
            .as("seed %d, round %d", seed, round)
            .isNotInstanceOf(GuestResult.Exited.class);
      }
    }
    assertThat(answering(new CollectingSink(), good)).isInstanceOf(GuestResult.Exited.class);
  }

  private static byte[] join(byte[]... parts) {
    int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
    ByteBuffer joined = ByteBuffer.allocate(length);
    for (byte[] part : parts) {
      joined.put(part);
    }
    return joined.array();
  }

  @Test
  void servesNobodyWithoutTheToken() throws Exception {
    List<byte[]> claims =
        List.of(
            ScriptedGuest.hello(1, "guessed"),
            ScriptedGuest.hello(1, ""),
            ScriptedGuest.hello(2, TOKEN.reveal()),
            ScriptedGuest.frame('S', new byte[4]),
            new byte[] {'H', 0, 0, 2, 1},
            new byte[] {'H', (byte) 0x80, 0, 0, 0},
            join(ScriptedGuest.frame('H', new byte[300])));
    for (byte[] claim : claims) {
      try (ScriptedGuest stranger = ScriptedGuest.connect(directory)) {
        stranger.send(claim);
        stranger.awaitEnd();
      }
    }
    assertThat(endpoint.awaitReady(Duration.ZERO)).isFalse();
    try (ScriptedGuest guest = offer()) {
      assertThat(guest.channel.isOpen()).isTrue();
    }
  }

  @Test
  void strangersThatStallOrFloodDoNotKeepTheGuestOutForEver() throws Exception {
    List<ScriptedGuest> strangers = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) { // silent: each is closed when its time for HELLO is over
        strangers.add(ScriptedGuest.connect(directory));
      }
      try (ScriptedGuest guest = ScriptedGuest.offer(directory, TOKEN.reveal())) {
        assertThat(endpoint.awaitReady(LONG)).isTrue();
        assertThat(guest.channel.isOpen()).isTrue();
      }
      for (ScriptedGuest stranger : strangers) {
        stranger.awaitEnd();
      }
    } finally {
      for (ScriptedGuest stranger : strangers) {
        stranger.close();
      }
    }
  }

  @Test
  void refusalsAreSlowForTheRefused() throws Exception {
    long begun = System.nanoTime();
    for (int i = 0; i < 80; i++) {
      try (ScriptedGuest stranger = ScriptedGuest.offer(directory, "wrong")) {
        stranger.awaitEnd();
      }
    }
    // 8 places, each held for 20 ms after a refusal
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(Duration.ofMillis(150));
  }

  @Test
  void aNewConnectionReplacesTheOneBefore() throws Exception {
    try (ScriptedGuest older = offer();
        ScriptedGuest newer = ScriptedGuest.offer(directory, TOKEN.reveal())) {
      older.awaitEnd();
      FutureTask<GuestResult> running = run(new CollectingSink());
      newer.awaitRun();
      newer.send(ScriptedGuest.started(), ScriptedGuest.exit(0, 0));
      assertThat(result(running)).isInstanceOf(GuestResult.Exited.class);
    }
  }

  @Test
  void aDeadOrBabblingConnectionIsNotUsed() throws Exception {
    offer().close();
    assertThat(result(run(new CollectingSink())))
        .isInstanceOfSatisfying(
            GuestResult.Failed.class,
            failed -> assertThat(failed.failure()).isEqualTo(GuestFailure.GUEST_UNREACHABLE));
    try (ScriptedGuest guest = offer()) {
      guest.send(ScriptedGuest.started());
      assertThat(result(run(new CollectingSink()))).isInstanceOf(GuestResult.Failed.class);
    }
  }

  @Test
  void runWaitsForTheNextConnection() throws Exception {
    FutureTask<GuestResult> running = run(new CollectingSink());
    try (ScriptedGuest guest = ScriptedGuest.offer(directory, TOKEN.reveal())) {
      guest.awaitRun();
      guest.send(ScriptedGuest.started(), ScriptedGuest.exit(0, 0));
      assertThat(result(running)).isInstanceOf(GuestResult.Exited.class);
    }
  }

  @Test
  void aSilentGuestIsCutAfterItsOvertime() throws Exception {
    try (ScriptedGuest guest = offer()) {
      FutureTask<GuestResult> running =
          async(() -> endpoint.run(command(Duration.ofMillis(50)), new CollectingSink()));
      guest.awaitRun();
      guest.send(ScriptedGuest.started());
      assertThat(result(running))
          .isInstanceOfSatisfying(
              GuestResult.Broken.class,
              broken -> assertThat(broken.reason()).contains("did not answer"));
      guest.awaitEnd();
    }
  }

  @Test
  void aGuestThatDoesNotReadItsRequestIsCutToo() throws Exception {
    try (ScriptedGuest guest = offer()) {
      GuestCommand large =
          new GuestCommand("exe_1", "x".repeat(250_000), "", Duration.ofMillis(50), Map.of());
      assertThat(result(async(() -> endpoint.run(large, new CollectingSink()))))
          .isInstanceOf(GuestResult.Broken.class);
      assertThat(guest.channel.isOpen()).isTrue();
    }
  }

  @Test
  void aFloodEndsWithTheOvertime() throws Exception {
    try (ScriptedGuest guest = offer()) {
      long[] seen = new long[1];
      OutputSink counting =
          new CollectingSink() {
            @Override
            public void stdout(byte[] bytes, int offset, int length) {
              seen[0] += length;
            }
          };
      FutureTask<GuestResult> running =
          async(() -> endpoint.run(command(Duration.ofMillis(50)), counting));
      guest.awaitRun();
      guest.send(ScriptedGuest.started());
      byte[] flood = ScriptedGuest.frame('O', new byte[65536]);
      assertThatThrownBy(
              () -> {
                while (true) {
                  guest.send(flood);
                }
              })
          .isInstanceOf(IOException.class);
      assertThat(result(running)).isInstanceOf(GuestResult.Broken.class);
      assertThat(seen[0]).isPositive();
    }
  }

  @Test
  void aSlowReaderDoesNotCostTheGuestItsTime() throws Exception {
    try (ScriptedGuest guest = offer()) {
      OutputSink slow =
          new CollectingSink() {
            @Override
            public void stdout(byte[] bytes, int offset, int length) throws IOException {
              try {
                Thread.sleep(600); // more than timeout and overtime together
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
            }
          };
      FutureTask<GuestResult> running =
          async(() -> endpoint.run(command(Duration.ofMillis(100)), slow));
      guest.awaitRun();
      guest.send(
          ScriptedGuest.started(),
          ScriptedGuest.frame('O', (byte) 1),
          ScriptedGuest.exit(124, Frames.EXIT_TIMED_OUT));
      assertThat(result(running)).isInstanceOf(GuestResult.Exited.class);
    }
  }

  @Test
  void whatTheSinkThrowsComesOutAndClosesTheConnection() throws Exception {
    try (ScriptedGuest guest = offer()) {
      IOException gone = new IOException("client gone");
      OutputSink failing =
          new CollectingSink() {
            @Override
            public void stderr(byte[] bytes, int offset, int length) throws IOException {
              throw gone;
            }
          };
      FutureTask<GuestResult> running = run(failing);
      guest.awaitRun();
      guest.send(ScriptedGuest.started(), ScriptedGuest.frame('E', (byte) 1));
      assertThatThrownBy(() -> result(running))
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isSameAs(gone);
      guest.awaitEnd();
    }
  }

  @Test
  void anInterruptEndsTheExecution() throws Exception {
    try (ScriptedGuest guest = offer()) {
      CompletableFuture<Throwable> outcome = new CompletableFuture<>();
      Thread thread =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      var _ = endpoint.run(command(LONG), new CollectingSink());
                      outcome.complete(null);
                    } catch (IOException | InterruptedException e) {
                      outcome.complete(e);
                    }
                  });
      guest.awaitRun();
      thread.interrupt();
      assertThat(outcome.get(LONG.toSeconds(), TimeUnit.SECONDS))
          .isInstanceOf(InterruptedException.class);
      guest.awaitEnd();
    }
  }

  @Test
  void anAbortIsAskedForAndThenEnforced() throws Exception {
    try (ScriptedGuest guest = offer()) {
      GuestExecution execution = endpoint.prepare(command(LONG));
      FutureTask<GuestResult> running = async(() -> execution.stream(new CollectingSink()));
      guest.awaitRun();
      guest.send(ScriptedGuest.started());
      execution.abort();
      execution.abort();
      assertThat(Frames.read(guest.channel, ByteBuffer.allocate(8))).isEqualTo(Frames.KILL);
      assertThat(result(running)).isEqualTo(new GuestResult.Broken("aborted"));
    }
    try (ScriptedGuest guest = offer()) {
      GuestExecution execution = endpoint.prepare(command(LONG));
      execution.abort();
      assertThat(execution.stream(new CollectingSink())).isInstanceOf(GuestResult.Broken.class);
      guest.awaitEnd();
    }
  }

  @Test
  void tooLargeARequestIsRefusedHere() throws Exception {
    try (ScriptedGuest guest = offer()) {
      GuestCommand large = new GuestCommand("exe_1", "x".repeat(262_144), "", LONG, Map.of());
      assertThat(endpoint.run(large, new CollectingSink()))
          .isInstanceOfSatisfying(
              GuestResult.Failed.class,
              failed -> assertThat(failed.failure()).isEqualTo(GuestFailure.REQUEST_TOO_LARGE));
      assertThat(guest.channel.isOpen()).isTrue();
    }
  }

  @Test
  void closingEndsWhatRunsAndRemovesTheSocket() throws Exception {
    try (ScriptedGuest guest = offer()) {
      FutureTask<GuestResult> running = run(new CollectingSink());
      guest.awaitRun();
      endpoint.close();
      assertThat(result(running)).isInstanceOf(GuestResult.Broken.class);
      guest.awaitEnd();
    }
    assertThat(directory.resolve("host.sock")).doesNotExist();
    assertThat(endpoint.awaitReady(LONG)).isFalse();
  }

  @Test
  void aSocketLeftBehindIsReplaced() throws Exception {
    endpoint.close();
    Files.createFile(directory.resolve("host.sock"));
    endpoint = GuestEndpoint.open(directory, TOKEN, QUICK);
    offer().close();
  }

  @Test
  void tokensDifferBySandboxAndIncarnationAndStayHidden() {
    byte[] key = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    assertThat(GuestToken.derive(key, "sbx_1", 1).reveal()).isEqualTo(TOKEN.reveal()).hasSize(64);
    assertThat(GuestToken.derive(key, "sbx_1", 2).reveal()).isNotEqualTo(TOKEN.reveal());
    assertThat(GuestToken.derive(key, "sbx_2", 1).reveal()).isNotEqualTo(TOKEN.reveal());
    assertThat(TOKEN.toString()).doesNotContain(TOKEN.reveal());
    assertThatThrownBy(() -> GuestToken.derive(new byte[15], "sbx_1", 1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
