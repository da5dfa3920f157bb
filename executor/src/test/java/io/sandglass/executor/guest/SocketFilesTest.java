package io.sandglass.executor.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sandglass.executor.files.FileException;
import io.sandglass.executor.files.FileFailure;
import io.sandglass.executor.files.GuestFiles;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** File requests against guests that lie, stall, flood and babble. */
@Timeout(60)
class SocketFilesTest {
  private static final GuestPatience QUICK =
      new GuestPatience(
          Duration.ofSeconds(2),
          Duration.ofMillis(20),
          Duration.ofSeconds(5),
          Duration.ofMillis(300),
          Duration.ofMillis(300),
          Duration.ofMillis(500),
          Duration.ofSeconds(20));
  private static final GuestToken TOKEN =
      GuestToken.derive("0123456789abcdef".getBytes(StandardCharsets.US_ASCII), "sbx_1", 1);

  @TempDir Path directory;
  private GuestEndpoint endpoint;
  private GuestFiles files;

  @BeforeEach
  void open() throws IOException {
    endpoint = GuestEndpoint.open(directory, TOKEN, QUICK);
    files = endpoint.files();
  }

  @AfterEach
  void close() throws IOException {
    endpoint.close();
  }

  /** What a guest does with the one request it gets. */
  interface Script {
    void play(ScriptedGuest guest, ByteBuffer request) throws IOException;
  }

  private FutureTask<Void> guest(Script script) throws Exception {
    ScriptedGuest guest = ScriptedGuest.offer(directory, TOKEN.reveal());
    assertThat(endpoint.awaitReady(Duration.ofSeconds(20))).isTrue();
    FutureTask<Void> playing =
        new FutureTask<>(
            () -> {
              try (guest) {
                ByteBuffer request = ByteBuffer.allocate(64 * 1024);
                Frames.read(guest.channel, request);
                script.play(guest, request);
              }
              return null;
            });
    Thread.ofVirtual().start(playing);
    return playing;
  }

  private static byte[] count(char type, long count, int... more) {
    ByteBuffer payload = ByteBuffer.allocate(8 + more.length).putLong(count);
    for (int b : more) {
      payload.put((byte) b);
    }
    return ScriptedGuest.frame(type, payload.array());
  }

  private static byte[] entry(char type, String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer payload = ByteBuffer.allocate(1 + 8 + 2 + 8 + 4 + bytes.length);
    payload.put((byte) type).putLong(7).putShort((short) 0644).putLong(1_700_000_000_123L);
    payload.putInt(bytes.length).put(bytes);
    return ScriptedGuest.frame('n', payload.array());
  }

  private byte[] download() throws Exception {
    try (GuestFiles.Download download = files.download("/f", 1000)) {
      ByteArrayOutputStream sink = new ByteArrayOutputStream();
      download.transferTo(sink);
      return sink.toByteArray();
    }
  }

  private long upload(byte[] content, long most) throws Exception {
    try (GuestFiles.Upload upload = files.upload("/f", most)) {
      long total = upload.transferFrom(new ByteArrayInputStream(content));
      upload.complete();
      return total;
    }
  }

  private static void fails(ThrowingCallable call, FileFailure failure) {
    assertThat(catchThrowable(call))
        .isInstanceOfSatisfying(
            FileException.class,
            e -> assertThat(e.failure()).as(e.getMessage()).isEqualTo(failure));
  }

  @Test
  void anUploadIsWhatTheGuestConfirms() throws Exception {
    byte[] content = new byte[150_000];
    new Random(1).nextBytes(content);
    ByteArrayOutputStream got = new ByteArrayOutputStream();
    FutureTask<Void> guest =
        guest(
            (it, request) -> {
              assertThat(new String(Frames.text(request), StandardCharsets.UTF_8)).isEqualTo("/f");
              assertThat(request.getLong()).isEqualTo(200_000);
              it.send(ScriptedGuest.frame('Y'));
              ByteBuffer payload = ByteBuffer.allocate(64 * 1024);
              while (Frames.read(it.channel, payload) == 'd') {
                got.write(payload.array(), 0, payload.remaining());
              }
              assertThat(payload.getLong()).isEqualTo(content.length);
              it.send(count('e', content.length));
            });
    assertThat(upload(content, 200_000)).isEqualTo(content.length);
    guest.get(20, TimeUnit.SECONDS);
    assertThat(got.toByteArray()).isEqualTo(content);
  }

  @Test
  void anUploadThatIsNotConfirmedHasFailed() throws Exception {
    Script[] scripts = {
      (it, _) -> it.send(ScriptedGuest.frame('Y')),
      (it, _) -> it.send(ScriptedGuest.frame('Y'), count('e', 4)),
      (it, _) -> it.send(ScriptedGuest.frame('Y'), count('e', 5, 1)),
      (it, _) -> it.send(ScriptedGuest.frame('Y'), ScriptedGuest.frame('e', (byte) 1)),
      (it, _) -> it.send(ScriptedGuest.frame('Y', (byte) 1)),
      (it, _) -> it.send(ScriptedGuest.started()),
      (it, _) -> it.send(ScriptedGuest.error("nonsense", "\0\u001b[31m")),
      (it, _) -> it.send(new byte[] {'Y', -1, -1, -1, -1}),
      (it, _) -> {},
    };
    for (Script script : scripts) {
      var _ =
          guest(
              (it, request) -> {
                script.play(it, request);
                it.channel.shutdownOutput();
                it.awaitEnd();
              });
      fails(() -> upload(new byte[5], 10), FileFailure.BROKEN);
    }
  }

  @Test
  void refusalsKeepTheirReason() throws Exception {
    for (FileFailure failure : FileFailure.values()) {
      var _ = guest((it, _) -> it.send(ScriptedGuest.error(failure.code(), "so")));
      fails(() -> upload(new byte[5], 10), failure);
      var _ = guest((it, _) -> it.send(ScriptedGuest.error(failure.code(), "so")));
      fails(this::download, failure);
    }
  }

  @Test
  void aRefusalInTheMiddleOfAnUploadIsHeard() throws Exception {
    var _ =
        guest(
            (it, _) -> {
              it.send(ScriptedGuest.frame('Y'));
              ByteBuffer payload = ByteBuffer.allocate(64 * 1024);
              Frames.read(it.channel, payload);
              it.send(ScriptedGuest.error("no_space", "No space left on device"));
            });
    fails(() -> upload(new byte[20_000_000], 20_000_000), FileFailure.NO_SPACE);
  }

  @Test
  void aByteTooManyEndsAnUploadWithoutItsEnd() throws Exception {
    boolean[] ended = new boolean[1];
    FutureTask<Void> guest =
        guest(
            (it, _) -> {
              it.send(ScriptedGuest.frame('Y'));
              ByteBuffer payload = ByteBuffer.allocate(64 * 1024);
              try {
                while (true) {
                  ended[0] |= Frames.read(it.channel, payload) == 'e';
                }
              } catch (IOException e) {
                // the connection was closed
              }
            });
    fails(() -> upload(new byte[100_001], 100_000), FileFailure.TOO_LARGE);
    guest.get(20, TimeUnit.SECONDS);
    assertThat(ended[0]).isFalse();
  }

  @Test
  void theCallersFailureStaysTheCallers() throws Exception {
    FutureTask<Void> guest =
        guest(
            (it, _) -> {
              it.send(ScriptedGuest.frame('Y'));
              it.awaitEnd();
            });
    InputStream broken =
        new FilterInputStream(new ByteArrayInputStream(new byte[3])) {
          @Override
          public int read(byte[] to, int offset, int length) throws IOException {
            int read = super.read(to, offset, length);
            if (read < 0) {
              throw new IOException("client gone");
            }
            return read;
          }
        };
    assertThatThrownBy(
            () -> {
              try (GuestFiles.Upload upload = files.upload("/f", 10)) {
                upload.transferFrom(broken);
              }
            })
        .isExactlyInstanceOf(IOException.class);
    guest.get(20, TimeUnit.SECONDS);

    var _ =
        guest(
            (it, _) -> {
              it.send(count('Y', 3), ScriptedGuest.frame('d', (byte) 1, (byte) 2, (byte) 3));
              it.awaitEnd();
            });
    OutputStream gone =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("client gone");
          }
        };
    assertThatThrownBy(
            () -> {
              try (GuestFiles.Download download = files.download("/f", 10)) {
                download.transferTo(gone);
              }
            })
        .isExactlyInstanceOf(IOException.class);
  }

  @Test
  void aDownloadIsAsLongAsItWasAnnounced() throws Exception {
    var _ =
        guest(
            (it, _) ->
                it.send(
                    count('Y', 3),
                    ScriptedGuest.frame('d', (byte) 'a'),
                    ScriptedGuest.frame('d', (byte) 'b', (byte) 'c'),
                    count('e', 3)));
    assertThat(download()).asString(StandardCharsets.UTF_8).isEqualTo("abc");

    byte[] two = ScriptedGuest.frame('d', (byte) 'a', (byte) 'b');
    byte[][][] lies = {
      {count('Y', 3), two},
      {count('Y', 3), two, count('e', 2)},
      {count('Y', 3), two, count('e', 3)},
      {count('Y', 3), two, two},
      {count('Y', 1), two},
      {count('Y', 0), two},
      {count('Y', 2), two, count('e', 2, 0)},
      {count('Y', 2), two, ScriptedGuest.exit(0, 0)},
      {count('Y', 2), ScriptedGuest.frame('d'), two},
      {count('Y', 1001)},
      {count('Y', -1)},
      {ScriptedGuest.frame('Y')},
      {ScriptedGuest.frame('d', (byte) 1)},
      {new byte[] {'Y', 0, 1, 0, 1}},
    };
    for (byte[][] lie : lies) {
      var _ = guest((it, _) -> it.send(lie));
      fails(this::download, FileFailure.BROKEN);
    }
  }

  @Test
  void aStalledGuestIsCutOff() throws Exception {
    var _ = guest((it, _) -> it.awaitEnd());
    fails(this::download, FileFailure.BROKEN);
    var _ =
        guest(
            (it, _) -> {
              it.send(count('Y', 3));
              it.awaitEnd();
            });
    fails(this::download, FileFailure.BROKEN);
    FutureTask<Void> deaf =
        guest(
            (it, _) -> {
              it.send(ScriptedGuest.frame('Y'));
              try {
                Thread.sleep(Duration.ofMinutes(1)); // reads nothing; interrupted by the test
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    fails(() -> upload(new byte[20_000_000], 20_000_000), FileFailure.BROKEN);
    deaf.cancel(true);
  }

  @Test
  void aListingIsInOrderAndBounded() throws Exception {
    var _ = guest((it, _) -> it.send(entry('f', "a"), entry('d', "ü"), count('e', 2, 1)));
    GuestFiles.Listing listing = files.list("/d", new byte[0], 2);
    assertThat(listing.more()).isTrue();
    assertThat(listing.entries())
        .extracting(e -> new String(e.nameBytes(), StandardCharsets.UTF_8))
        .containsExactly("a", "ü");
    assertThat(listing.entries().getFirst().mode()).isEqualTo(0644);
    assertThat(listing.entries().getFirst().modified().toEpochMilli())
        .isEqualTo(1_700_000_000_123L);

    byte[][][] lies = {
      {entry('f', "a"), entry('f', "b"), entry('f', "c"), count('e', 3, 0)},
      {entry('f', "b"), entry('f', "a"), count('e', 2, 0)},
      {entry('f', "b"), entry('f', "b"), count('e', 2, 0)},
      {entry('f', "A"), count('e', 1, 0)},
      {entry('f', "b"), count('e', 2, 0)},
      {entry('f', "b"), count('e', 1)},
      {entry('f', "b/c"), count('e', 1, 0)},
      {entry('f', "b\0"), count('e', 1, 0)},
      {entry('f', ""), count('e', 1, 0)},
      {entry('f', "b".repeat(256)), count('e', 1, 0)},
      {entry('x', "b"), count('e', 1, 0)},
      {ScriptedGuest.frame('n', (byte) 'f')},
      {entry('f', "b")},
    };
    for (byte[][] lie : lies) {
      var _ = guest((it, _) -> it.send(lie));
      fails(() -> files.list("/d", "A".getBytes(StandardCharsets.UTF_8), 2), FileFailure.BROKEN);
    }
  }

  @Test
  void noiseIsNeverAnAnswer() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[][] sound = {
      count('Y', 2), ScriptedGuest.frame('d', (byte) 1, (byte) 2), count('e', 2), entry('f', "a")
    };
    for (int round = 0; round < 300; round++) {
      ByteArrayOutputStream noise = new ByteArrayOutputStream();
      for (int i = random.nextInt(1, 5); i > 0; i--) {
        noise.write(sound[random.nextInt(sound.length)]);
      }
      byte[] bytes = noise.toByteArray();
      for (int i = random.nextInt(1, 6); i > 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      byte[] cut = Arrays.copyOf(bytes, random.nextInt(bytes.length) + 1);
      var _ = guest((it, _) -> it.send(cut));
      int kind = round % 3;
      Throwable thrown =
          catchThrowable(
              () -> {
                switch (kind) {
                  case 0 -> assertThat(download()).hasSizeLessThanOrEqualTo(1000);
                  case 1 -> upload(new byte[2], 10);
                  default -> files.list("/d", new byte[0], 5);
                }
              });
      assertThat(thrown)
          .as("seed %d round %d", seed, round)
          .satisfiesAnyOf(
              it -> assertThat(it).isNull(),
              it -> assertThat(it).isInstanceOf(FileException.class));
    }
  }

  @Test
  void anEndpointThatClosesEndsTransfers() throws Exception {
    var _ =
        guest(
            (it, _) -> {
              it.send(count('Y', 3));
              endpoint.close();
              it.awaitEnd();
            });
    fails(this::download, FileFailure.BROKEN);
    fails(this::download, FileFailure.GUEST_UNREACHABLE);
  }
}
