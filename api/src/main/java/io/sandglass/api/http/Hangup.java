package io.sandglass.api.http;

import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.Callback;

/**
 * Notices that a client hangs up while its request is at work. Jetty itself reads nothing then, so
 * it learns of it by a failing write only. Closing the sending half of the connection counts as
 * hanging up, as it does with other servers.
 *
 * <p>To be opened after the request's body has been read to its end, and closed before the request
 * is over. A further request that the client sends meanwhile is handed back.
 */
public final class Hangup implements AutoCloseable, Callback {
  private static final int MOST_AHEAD = 16 * 1024;

  private final AbstractEndPoint endPoint;
  private final Connection connection;
  private final Runnable gone;
  private final ReentrantLock lock = new ReentrantLock();
  private final ByteArrayOutputStream ahead = new ByteArrayOutputStream();
  private boolean closed;

  private Hangup(AbstractEndPoint endPoint, Connection connection, Runnable gone) {
    this.endPoint = endPoint;
    this.connection = connection;
    this.gone = gone;
  }

  /**
   * Watches the request's connection.
   *
   * @param gone run once in a thread of its own when the client has hung up
   */
  public static Hangup watch(HttpServletRequest request, Runnable gone) {
    Connection connection =
        ServletContextRequest.getServletContextRequest(request)
            .getConnectionMetaData()
            .getConnection();
    Hangup hangup = new Hangup((AbstractEndPoint) connection.getEndPoint(), connection, gone);
    hangup.listen();
    return hangup;
  }

  private void listen() {
    if (ahead.size() < MOST_AHEAD) {
      endPoint.tryFillInterested(this);
    }
  }

  @Override
  public InvocationType getInvocationType() {
    return InvocationType.NON_BLOCKING;
  }

  /** There is something to read. */
  @Override
  public void succeeded() {
    lock.lock();
    try {
      if (closed) {
        return; // what there is belongs to the next request
      }
      ByteBuffer bytes = ByteBuffer.allocate(4096).flip();
      int read = endPoint.fill(bytes);
      if (read < 0) {
        hungUp();
        return;
      }
      while (bytes.hasRemaining()) {
        ahead.write(bytes.get());
      }
      listen();
    } catch (IOException e) {
      hungUp();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void failed(Throwable cause) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      if (cause instanceof TimeoutException && endPoint.isOpen()) {
        listen(); // quiet for long, which is what a client that waits is
      } else {
        hungUp();
      }
    } finally {
      lock.unlock();
    }
  }

  private void hungUp() {
    closed = true;
    Thread.ofVirtual().name("hangup").start(gone);
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      if (ahead.size() > 0) {
        ((Connection.UpgradeTo) connection).onUpgradeTo(ByteBuffer.wrap(ahead.toByteArray()));
      }
    } finally {
      lock.unlock();
    }
    if (endPoint.isFillInterested()) {
      endPoint.getFillInterest().onFail(new CancellationException("The request is over"));
    }
  }
}
