package io.sandglass.executor.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** One command in a sandbox, on a connection of its own. */
public final class GuestExecution {

  private static final int EXIT_BYTES = 27;

  /** Of what began before this connection did. */
  private static final Duration LONGEST = Duration.ofDays(49);

  private static final int TOTALS_BYTES = 33;
  private static final int MAX_DETAIL = 500;

  private final GuestEndpoint endpoint;
  private final GuestPatience patience;
  private final Supplier<Optional<ByteBuffer>> request;
  private final Optional<byte[]> stdin;
  private final Duration limit;

  /** Whether the shell runs already, and the guest answers with totals instead of STARTED. */
  private final boolean attached;

  /** Guards the two below: an abort either finds the connection or is found by the stream. */
  private final Object lock = new Object();

  private SocketChannel connection;
  private boolean aborted;

  /** Held while a frame is written: frames of the input and of an abort must not mix. */
  private final ReentrantLock writing = new ReentrantLock();

  private GuestExecution(
      GuestEndpoint endpoint,
      GuestPatience patience,
      Supplier<Optional<ByteBuffer>> request,
      Optional<byte[]> stdin,
      Duration limit,
      boolean attached) {
    this.endpoint = endpoint;
    this.patience = patience;
    this.request = request;
    this.stdin = stdin;
    this.limit = limit;
    this.attached = attached;
  }

  /** One that is yet to begin. */
  static GuestExecution of(GuestEndpoint endpoint, GuestPatience patience, GuestCommand command) {
    return new GuestExecution(
        endpoint,
        patience,
        () -> Frames.run(command),
        command.stdin(),
        command.timeout().plus(patience.overtime()),
        false);
  }

  /** One that is detached. */
  static GuestExecution attached(
      GuestEndpoint endpoint,
      GuestPatience patience,
      String executionId,
      long stdout,
      long stderr,
      Duration limit) {
    return new GuestExecution(
        endpoint,
        patience,
        () -> Optional.of(Frames.attach(executionId, stdout, stderr)),
        Optional.empty(),
        limit,
        true);
  }

  /**
   * Runs the command and blocks until it has ended. To be called once. Interrupting the thread ends
   * the execution too.
   *
   * @throws IOException what {@code sink} has thrown, and nothing else; the command's processes are
   *     killed then
   */
  public GuestResult stream(OutputSink sink) throws IOException, InterruptedException {
    Optional<ByteBuffer> frame = request.get();
    if (frame.isEmpty()) {
      return new GuestResult.Failed(
          GuestFailure.REQUEST_TOO_LARGE, "command and environment exceed 256 KiB");
    }
    Optional<SocketChannel> taken = endpoint.take();
    if (taken.isEmpty()) {
      return new GuestResult.Failed(
          GuestFailure.GUEST_UNREACHABLE,
          "the sandbox offered no connection within " + patience.connection().toMillis() + " ms");
    }
    SocketChannel channel = taken.get();
    GuestDeadline deadline = new GuestDeadline(endpoint, channel, limit);
    try {
      synchronized (lock) {
        if (aborted) {
          return new GuestResult.Broken("aborted before it started");
        }
        connection = channel;
      }
      return converse(channel, frame.get(), sink, deadline);
    } catch (SinkFailure e) {
      throw e.original;
    } catch (GuestProtocolException e) {
      return new GuestResult.Broken("the guest broke the protocol: " + e.getMessage());
    } catch (IOException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("interrupted while a command was running");
      }
      return new GuestResult.Broken(reasonOf(e, deadline));
    } finally {
      deadline.cancel();
      endpoint.discard(channel);
    }
  }

  /**
   * Asks the guest to kill the command and all its descendants; the stream ends with {@link
   * GuestResult.Exited} and {@code killed}, or is cut when the guest takes too long. Does not
   * block; any thread may call it, at any time.
   */
  public void abort() {
    SocketChannel channel;
    synchronized (lock) {
      if (aborted) {
        return;
      }
      aborted = true;
      channel = connection;
    }
    if (channel != null) {
      var _ = endpoint.discardAfter(channel, patience.abort());
      Thread.ofVirtual()
          .name("guest-kill")
          .start(
              () -> {
                if (!writing.tryLock()) {
                  endpoint.discard(channel); // behind input that nobody reads it would never arrive
                  return;
                }
                try {
                  Frames.write(channel, Frames.kill());
                } catch (IOException e) {
                  endpoint.discard(channel); // closing kills as well
                } finally {
                  writing.unlock();
                }
              });
    }
  }

  /** Closes the connection, without a word; what is not detached is killed by that. */
  public void leave() {
    SocketChannel channel;
    synchronized (lock) {
      aborted = true;
      channel = connection;
    }
    if (channel != null) {
      endpoint.discard(channel);
    }
  }

  private GuestResult converse(
      SocketChannel channel, ByteBuffer frame, OutputSink sink, GuestDeadline deadline)
      throws IOException {
    long begun = System.nanoTime();
    writing.lock();
    try {
      Frames.write(channel, frame);
    } catch (IOException e) {
      if (!channel.isOpen()) {
        throw e;
      } // else the guest may have closed after an ERROR that says why
    } finally {
      writing.unlock();
    }
    stdin.ifPresent(
        input -> Thread.ofVirtual().name("guest-stdin").start(() -> feed(channel, input)));
    return receive(channel, begun, sink, deadline);
  }

  /** Takes as long as the command does to read it; ends with the connection at the latest. */
  private void feed(SocketChannel channel, byte[] input) {
    ByteBuffer rest = ByteBuffer.wrap(input);
    writing.lock();
    try {
      while (rest.hasRemaining()) {
        Frames.write(channel, Frames.stdin(rest));
      }
      Frames.write(channel, Frames.stdinEof());
    } catch (IOException e) {
      // The command has ended, or was ended: whoever reads its output hears of it.
    } finally {
      writing.unlock();
    }
  }

  private GuestResult receive(
      SocketChannel channel, long begun, OutputSink sink, GuestDeadline deadline)
      throws IOException {
    byte[] bytes = new byte[Frames.MAX_PAYLOAD];
    ByteBuffer payload = ByteBuffer.wrap(bytes);
    boolean started = false;
    byte first = attached ? Frames.TOTALS : Frames.STARTED;
    while (true) {
      byte type = Frames.read(channel, payload);
      if (!started && type != first && type != Frames.ERROR) {
        throw new GuestProtocolException("frame " + type + " before STARTED");
      }
      switch (type) {
        case Frames.TOTALS -> {
          started = true;
          deliver(sink, totals(payload), deadline);
        }
        case Frames.STARTED -> {
          if (started || payload.remaining() != 4) {
            throw new GuestProtocolException("a second or malformed STARTED");
          }
          started = true;
          deliver(sink, type, bytes, 0, deadline);
        }
        case Frames.STDOUT, Frames.STDERR -> {
          if (!payload.hasRemaining()) {
            throw new GuestProtocolException("an empty output frame");
          }
          deliver(sink, type, bytes, payload.remaining(), deadline);
        }
        case Frames.EXIT -> {
          return exited(payload, attached ? LONGEST : Duration.ofNanos(System.nanoTime() - begun));
        }
        case Frames.ERROR -> {
          return failed(payload, started);
        }
        default -> throw new GuestProtocolException("frame type " + type);
      }
    }
  }

  private static GuestTotals totals(ByteBuffer payload) throws GuestProtocolException {
    if (payload.remaining() != TOTALS_BYTES) {
      throw new GuestProtocolException("TOTALS of " + payload.remaining() + " bytes");
    }
    long stdout = payload.getLong();
    long stdoutKept = payload.getLong();
    long stderr = payload.getLong();
    long stderrKept = payload.getLong();
    if (stdoutKept < 0 || stdoutKept > stdout || stderrKept < 0 || stderrKept > stderr) {
      throw new GuestProtocolException("TOTALS that contradict themselves");
    }
    return new GuestTotals(stdout, stdoutKept, stderr, stderrKept, payload.get() != 0);
  }

  private static void deliver(OutputSink sink, GuestTotals totals, GuestDeadline deadline)
      throws SinkFailure {
    deadline.enterSink();
    try {
      sink.totals(totals);
    } catch (IOException e) {
      throw new SinkFailure(e);
    } finally {
      deadline.leaveSink();
    }
  }

  private void deliver(OutputSink sink, byte type, byte[] bytes, int length, GuestDeadline deadline)
      throws SinkFailure {
    deadline.enterSink();
    try {
      switch (type) {
        case Frames.STDOUT -> sink.stdout(bytes, 0, length);
        case Frames.STDERR -> sink.stderr(bytes, 0, length);
        default -> sink.started();
      }
    } catch (IOException e) {
      throw new SinkFailure(e);
    } finally {
      deadline.leaveSink();
    }
  }

  private static GuestResult exited(ByteBuffer payload, Duration waited)
      throws GuestProtocolException {
    if (payload.remaining() != EXIT_BYTES) {
      throw new GuestProtocolException("an EXIT of " + payload.remaining() + " bytes");
    }
    int status = Byte.toUnsignedInt(payload.get());
    int flags = Byte.toUnsignedInt(payload.get());
    payload.get(); // the signal is in the status
    long duration = payload.getLong();
    long cpu = payload.getLong();
    long peak = payload.getLong();
    boolean timedOut = (flags & Frames.EXIT_TIMED_OUT) != 0;
    if (duration < 0 || cpu < 0 || peak < 0 || (timedOut && status != 124)) {
      throw new GuestProtocolException("an EXIT that contradicts itself");
    }
    Duration claimed = Duration.of(duration, ChronoUnit.MICROS);
    return new GuestResult.Exited(
        status,
        claimed.compareTo(waited) > 0 ? waited : claimed,
        timedOut,
        (flags & Frames.EXIT_KILLED) != 0,
        (flags & Frames.EXIT_SURVIVORS) != 0,
        Duration.of(cpu, ChronoUnit.MICROS),
        peak);
  }

  private static GuestResult failed(ByteBuffer payload, boolean started)
      throws GuestProtocolException {
    String code = printable(Frames.text(payload));
    String detail = printable(Frames.text(payload));
    Frames.end(payload);
    Optional<GuestFailure> failure = GuestFailure.ofCode(code);
    if (started || failure.isEmpty()) {
      return new GuestResult.Broken("the guest gave up: " + code + ": " + detail);
    }
    return new GuestResult.Failed(failure.get(), detail);
  }

  static String printable(byte[] text) {
    String decoded = new String(text, 0, Math.min(text.length, MAX_DETAIL), StandardCharsets.UTF_8);
    return decoded.replaceAll("[^\\p{L}\\p{N}\\p{P}\\p{S} ]", "?");
  }

  private String reasonOf(IOException e, GuestDeadline deadline) {
    synchronized (lock) {
      if (aborted) {
        return "aborted";
      }
    }
    return deadline.passed()
        ? "the guest did not answer within the command's timeout and "
            + patience.overtime().toMillis()
            + " ms"
        : "the connection to the guest was lost: " + e.getMessage();
  }

  /** Tells the sink's exceptions from the connection's. */
  private static final class SinkFailure extends IOException {
    private final transient IOException original;

    SinkFailure(IOException original) {
      super(original);
      this.original = original;
    }
  }
}
