package io.sandglass.executor.guest;

import io.sandglass.executor.files.GuestFiles;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The socket of one sandbox, on which its guest keeps one idle connection offered. Every process of
 * the sandbox can connect to it: a connection counts only after a HELLO with the sandbox's token,
 * few may be without, and each refusal costs its sender time.
 */
public final class GuestEndpoint implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(GuestEndpoint.class);

  private static final String SOCKET = "host.sock";
  private static final int BACKLOG = 16;
  private static final int MAX_STRANGERS = 8;

  /** No execution has this id. */
  private static final String NOBODY = "-";

  private final Path socket;
  private final GuestToken token;
  private final GuestPatience patience;
  private final ServerSocketChannel server;
  private final Semaphore strangers = new Semaphore(MAX_STRANGERS);
  private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition offered = lock.newCondition();
  private SocketChannel idle;
  private boolean closed;
  private boolean complained;

  private GuestEndpoint(
      Path socket, GuestToken token, GuestPatience patience, ServerSocketChannel server) {
    this.socket = socket;
    this.token = token;
    this.patience = patience;
    this.server = server;
  }

  /**
   * Listens on {@code host.sock} in a sandbox's directory, in place of a socket that an earlier
   * executor has left there. The socket itself is open to all (the sandbox's user need not be
   * root): the way to it must not be.
   */
  public static GuestEndpoint open(Path directory, GuestToken token, GuestPatience patience)
      throws IOException {
    Path socket = directory.resolve(SOCKET);
    Files.deleteIfExists(socket);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
    GuestEndpoint endpoint = new GuestEndpoint(socket, token, patience, server);
    Thread.ofVirtual().name("guest-accept " + directory.getFileName()).start(endpoint::accept);
    return endpoint;
  }

  /**
   * Whether the guest has offered a connection within {@code limit}: only then can the sandbox run
   * anything.
   */
  public boolean awaitReady(Duration limit) throws InterruptedException {
    long nanos = limit.toNanos();
    lock.lockInterruptibly();
    try {
      while (idle == null && !closed && nanos > 0) {
        nanos = offered.awaitNanos(nanos);
      }
      return idle != null;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the guest answers within {@code limit}: that it once offered a connection does not say
   * that it still runs.
   */
  public boolean answers(Duration limit) throws InterruptedException {
    Optional<SocketChannel> taken = awaitReady(limit) ? take() : Optional.empty();
    if (taken.isEmpty()) {
      return false;
    }
    Future<?> until = discardAfter(taken.get(), limit);
    try {
      Frames.write(taken.get(), Frames.forget(NOBODY));
      return taken.get().read(ByteBuffer.allocate(1)) > 0; // an ERROR: it knows of none
    } catch (IOException e) {
      return false;
    } finally {
      until.cancel(false);
      discard(taken.get());
    }
  }

  /** Nothing happens before {@link GuestExecution#stream}. */
  public GuestExecution prepare(GuestCommand command) {
    return GuestExecution.of(this, patience, command);
  }

  /** The files of the sandbox. */
  public GuestFiles files() {
    return new SocketFiles(this, patience);
  }

  /** All ones for an offset: nothing of that stream is wanted. */
  public static final long NO_OUTPUT = -1;

  /**
   * A connection to a detached execution: {@link GuestExecution#stream} gives what it wrote from
   * these offsets on, and waits for its end. Leaving ends nothing; an abort kills it.
   *
   * @param limit how long it may take at most
   */
  public GuestExecution attach(String executionId, long stdout, long stderr, Duration limit) {
    return GuestExecution.attached(this, patience, executionId, stdout, stderr, limit);
  }

  /** Lets the guest forget a detached execution's output and end. */
  public void forget(String executionId) throws IOException, InterruptedException {
    Optional<SocketChannel> taken = take();
    if (taken.isPresent()) {
      Future<?> limit = discardAfter(taken.get(), patience.abort());
      try {
        Frames.write(taken.get(), Frames.forget(executionId));
        var _ = taken.get().read(ByteBuffer.allocate(1)); // it closes when it has heard
      } finally {
        limit.cancel(false);
        discard(taken.get());
      }
    }
  }

  /** {@link #prepare} and {@link GuestExecution#stream} for those who will not abort it. */
  public GuestResult run(GuestCommand command, OutputSink sink)
      throws IOException, InterruptedException {
    return prepare(command).stream(sink);
  }

  /**
   * Ends every execution; their processes are killed, and their results are {@link
   * GuestResult.Broken}.
   */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      closed = true;
      idle = null;
      offered.signalAll();
    } finally {
      lock.unlock();
    }
    server.close();
    connections.forEach(this::discard);
    Files.deleteIfExists(socket);
  }

  /**
   * The idle connection, now the caller's to use and to {@link #discard}; empty when none was
   * offered in time.
   */
  Optional<SocketChannel> take() throws InterruptedException {
    long nanos = patience.connection().toNanos();
    lock.lockInterruptibly();
    try {
      while (true) {
        if (idle != null) {
          SocketChannel connection = idle;
          idle = null;
          if (isQuiet(connection)) {
            return Optional.of(connection);
          }
          discard(connection);
        }
        if (closed || nanos <= 0) {
          return Optional.empty();
        }
        nanos = offered.awaitNanos(nanos);
      }
    } finally {
      lock.unlock();
    }
  }

  void discard(SocketChannel connection) {
    connections.remove(connection);
    try {
      connection.close();
    } catch (IOException e) {
      LOG.debug("event=guest_close_failed socket={}", socket, e);
    }
  }

  /** Closing is what ends a blocked read or write of another thread. */
  Future<?> discardAfter(SocketChannel connection, Duration delay) {
    return ForkJoinPool.commonPool()
        .schedule(() -> discard(connection), delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void accept() {
    while (server.isOpen()) {
      strangers.acquireUninterruptibly();
      try {
        SocketChannel stranger = server.accept();
        connections.add(stranger);
        Thread.ofVirtual().name("guest-hello").start(() -> greet(stranger));
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        LOG.warn("event=guest_accept_failed socket={} cause={}", socket, e.toString());
        pause();
        strangers.release();
      }
    }
  }

  private void greet(SocketChannel stranger) {
    Future<?> limit = discardAfter(stranger, patience.hello());
    try {
      checkHello(stranger);
      limit.cancel(false);
      offer(stranger);
    } catch (IOException e) {
      limit.cancel(false);
      discard(stranger);
      complain(e);
      pause();
    } finally {
      strangers.release();
    }
  }

  private void checkHello(SocketChannel stranger) throws IOException {
    ByteBuffer payload = ByteBuffer.allocate(Frames.MAX_HELLO);
    if (Frames.read(stranger, payload) != Frames.HELLO || payload.remaining() < 2) {
      throw new GuestProtocolException("no HELLO");
    }
    int version = Short.toUnsignedInt(payload.getShort());
    String guest = new String(Frames.text(payload), StandardCharsets.UTF_8);
    byte[] claimed = Frames.text(payload);
    Frames.end(payload);
    if (!token.matches(claimed)) {
      throw new GuestProtocolException("a wrong token");
    }
    if (version != Frames.PROTOCOL_VERSION) {
      throw new GuestProtocolException("protocol version " + version + " of guest " + guest);
    }
  }

  /**
   * The guest has one idle connection at a time, so a new one means that the one before is dead.
   */
  private void offer(SocketChannel connection) {
    lock.lock();
    try {
      if (closed) {
        discard(connection);
        return;
      }
      if (idle != null) {
        discard(idle);
      }
      idle = connection;
      offered.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Whether a connection lives, and has kept silent since its HELLO. */
  private static boolean isQuiet(SocketChannel connection) {
    try {
      connection.configureBlocking(false);
      int read = connection.read(ByteBuffer.allocate(1));
      connection.configureBlocking(true);
      return read == 0;
    } catch (IOException e) {
      return false;
    }
  }

  /** Aloud once: the one who causes it can cause it as often as it likes. */
  private void complain(IOException e) {
    lock.lock();
    try {
      if (complained || closed) {
        LOG.debug("event=guest_refused socket={} cause={}", socket, e.toString());
      } else {
        LOG.warn("event=guest_refused socket={} cause={}", socket, e.toString());
      }
      complained = true;
    } finally {
      lock.unlock();
    }
  }

  private void pause() {
    try {
      Thread.sleep(patience.penalty());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
