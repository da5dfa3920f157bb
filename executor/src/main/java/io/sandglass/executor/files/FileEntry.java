package io.sandglass.executor.files;

import java.nio.ByteBuffer;
import java.time.Instant;

/**
 * One name in a directory.
 *
 * @param mode the lower twelve bits
 * @param name as the file system has it: bytes, mostly but not always UTF-8
 */
public record FileEntry(Type type, long size, int mode, Instant modified, ByteBuffer name) {

  public FileEntry {
    name = name.asReadOnlyBuffer();
  }

  /** A copy of the name. */
  public byte[] nameBytes() {
    byte[] bytes = new byte[name.remaining()];
    name.get(name.position(), bytes);
    return bytes;
  }

  /** What it is; links are not followed. */
  public enum Type {
    FILE('f'),
    DIRECTORY('d'),
    SYMLINK('l'),
    FIFO('p'),
    SOCKET('s'),
    BLOCK_DEVICE('b'),
    CHARACTER_DEVICE('c');

    private final byte code;

    Type(char code) {
      this.code = (byte) code;
    }

    /** As in the guest's ENTRY frame. */
    public byte code() {
      return code;
    }
  }
}
