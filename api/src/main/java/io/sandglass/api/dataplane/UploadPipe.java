package io.sandglass.api.dataplane;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;

/**
 * The body of a request to a node, read by the thread that has it and no faster than it is sent. A
 * body that breaks off ends the request as broken, never as complete, which the JDK's own publisher
 * of streams does not promise.
 */
final class UploadPipe implements HttpRequest.BodyPublisher, Flow.Subscription {
  private static final int CHUNK = 64 * 1024;

  private final Semaphore demand = new Semaphore(0);
  private volatile Flow.Subscriber<? super ByteBuffer> subscriber;
  private volatile boolean stopped;

  @Override
  public long contentLength() {
    return -1;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super ByteBuffer> to) {
    subscriber = to;
    to.onSubscribe(this);
  }

  @Override
  public void request(long n) {
    demand.release((int) Math.min(n, Short.MAX_VALUE));
  }

  /** Also when there is an answer already. */
  @Override
  public void cancel() {
    stopped = true;
    demand.release();
  }

  /**
   * Passes all of it on, or as much as is asked for.
   *
   * @param most that are read: one more than are allowed tells the node that there are too many
   * @return how many were passed on
   * @throws IOException of {@code content}
   */
  long pump(InputStream content, long most) throws IOException, InterruptedException {
    long left = most;
    while (true) {
      demand.acquire();
      if (stopped) {
        return most - left;
      }
      byte[] chunk = new byte[CHUNK];
      int read = left == 0 ? -1 : read(content, chunk, (int) Math.min(left, CHUNK));
      if (read < 0) {
        subscriber.onComplete();
        return most - left;
      }
      left -= read;
      subscriber.onNext(ByteBuffer.wrap(chunk, 0, read));
    }
  }

  private int read(InputStream content, byte[] chunk, int length) throws IOException {
    try {
      return content.read(chunk, 0, length);
    } catch (IOException e) {
      subscriber.onError(e);
      throw e;
    }
  }
}
