package io.sandglass.api.dataplane;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** A file on its way to a client. {@link #copyTo} or {@link #close} has to follow. */
public final class FileDownload implements AutoCloseable {
  private final long size;
  private final InputStream content;
  private final Runnable cut;

  /**
   * @param cut ends the connection, so that nobody waits for what is left of the content
   */
  FileDownload(long size, InputStream content, Runnable cut) {
    this.size = size;
    this.content = content;
    this.cut = cut;
  }

  public long size() {
    return size;
  }

  /**
   * Passes it on at the client's pace.
   *
   * @throws BrokenException when the node does not deliver all of it
   * @throws IOException of {@code sink}
   */
  public void copyTo(OutputStream sink) throws IOException {
    try {
      byte[] chunk = new byte[FilePlane.CHUNK];
      long left = size;
      while (left > 0) {
        int read = read(chunk, (int) Math.min(left, FilePlane.CHUNK));
        sink.write(chunk, 0, read);
        left -= read;
      }
    } finally {
      close();
    }
  }

  private int read(byte[] chunk, int length) throws BrokenException {
    try {
      int read = content.read(chunk, 0, length);
      if (read > 0) {
        return read;
      }
    } catch (IOException e) {
      throw new BrokenException(e);
    }
    throw new BrokenException(null);
  }

  /** The file broke off on its way. */
  public static final class BrokenException extends IOException {
    private static final long serialVersionUID = 1L;

    BrokenException(IOException cause) {
      super("The file broke off before its end", cause);
    }
  }

  @Override
  public void close() {
    cut.run();
  }
}
