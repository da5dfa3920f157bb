package io.sandglass.executor.dataplane;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes frames: type (1 byte), length of the payload (4 bytes, big endian), payload. A write
 * blocks while the caller does not read.
 */
final class FrameStream {
  static final String MEDIA_TYPE = "application/vnd.sandglass.frames";

  /** What a frame carries. */
  enum Type {
    STARTED('S'),
    STDOUT('O'),
    STDERR('E'),
    EXIT('X'),
    FAILURE('F'),
    /** All that is there has been told, and it goes on: how much it has written so far. */
    PAUSE('P');

    private final byte code;

    Type(char code) {
      this.code = (byte) code;
    }
  }

  private static final int HEADER_BYTES = 5;

  private final OutputStream out;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean idle;

  FrameStream(OutputStream out) {
    this.out = out;
  }

  void write(Type type, byte[] bytes, int offset, int length) throws IOException {
    lock.lock();
    try {
      idle = false;
      out.write(ByteBuffer.allocate(HEADER_BYTES).put(type.code).putInt(length).array());
      out.write(bytes, offset, length);
      out.flush();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Writes an empty frame of output when nothing was written since the last call: the only way to
   * learn that the caller has hung up on a silent command.
   */
  void beat() throws IOException {
    if (!lock.tryLock()) {
      return; // a write is under way and will learn it
    }
    try {
      if (idle) {
        write(Type.STDOUT, new byte[0], 0, 0);
      }
      idle = true;
    } finally {
      lock.unlock();
    }
  }
}
