package io.sandglass.executor.dataplane;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * The content of an upload. A caller that has begun to send it hears the answer only when it has
 * sent all; one that has not must not be asked for it by reading.
 */
final class UploadBody extends FilterInputStream {
  private static final int CHUNK = 64 * 1024;

  private final long most;
  private long seen;
  private boolean begun;

  /**
   * @param most bytes that are read at all, drained ones included
   */
  UploadBody(InputStream in, long most) {
    super(in);
    this.most = most;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    begun = true;
    int read = in.read(to, offset, length);
    seen += Math.max(0, read);
    return read;
  }

  /** Reads the rest away, if anything was read. */
  void drain() throws IOException {
    byte[] scratch = new byte[CHUNK];
    while (begun && seen <= most && read(scratch, 0, CHUNK) >= 0) {
      // nobody wants it
    }
  }
}
