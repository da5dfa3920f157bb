package io.sandglass.executor.guest;

import io.sandglass.executor.files.FileEntry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** The frames of the file requests in {@code guest/README.md}. */
final class FileFrames {

  static final byte UPLOAD = 'U';
  static final byte DOWNLOAD = 'D';
  static final byte LIST = 'L';
  static final byte READY = 'Y';
  static final byte ENTRY = 'n';
  static final byte DATA = 'd';
  static final byte END = 'e';

  private static final int LONGEST_NAME = 255;

  /** Years 1 to 9999: what can be written as a time. */
  private static final long EARLIEST = Instant.parse("0001-01-01T00:00:00Z").toEpochMilli();

  private static final long LATEST = Instant.parse("9999-12-31T23:59:59.999Z").toEpochMilli();

  private FileFrames() {}

  static ByteBuffer transfer(byte type, String path, long most) {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    return frame(type, 4 + bytes.length + 8).putInt(bytes.length).put(bytes).putLong(most).flip();
  }

  static ByteBuffer list(String path, byte[] after, int most) {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    return frame(LIST, 4 + bytes.length + 4 + after.length + 4)
        .putInt(bytes.length)
        .put(bytes)
        .putInt(after.length)
        .put(after)
        .putInt(most)
        .flip();
  }

  static ByteBuffer end(long count) {
    return frame(END, 8).putLong(count).flip();
  }

  private static ByteBuffer frame(byte type, int payload) {
    return ByteBuffer.allocate(Frames.HEADER + payload).put(type).putInt(payload);
  }

  /** The only field of a payload. */
  static long count(ByteBuffer payload) throws GuestProtocolException {
    long count = payload.remaining() < 8 ? -1 : payload.getLong();
    if (count < 0) {
      throw new GuestProtocolException("a malformed count");
    }
    return count;
  }

  static FileEntry entry(ByteBuffer payload) throws GuestProtocolException {
    if (payload.remaining() < 1 + 8 + 2 + 8) {
      throw new GuestProtocolException("an ENTRY of " + payload.remaining() + " bytes");
    }
    FileEntry.Type type = type(payload.get());
    long size = payload.getLong();
    int mode = Short.toUnsignedInt(payload.getShort());
    long modified = payload.getLong();
    byte[] name = Frames.text(payload);
    Frames.end(payload);
    if (size < 0 || mode > 0xfff || !isName(name)) {
      throw new GuestProtocolException("an ENTRY that no directory can have");
    }
    return new FileEntry(
        type,
        size,
        mode,
        Instant.ofEpochMilli(Math.clamp(modified, EARLIEST, LATEST)),
        ByteBuffer.wrap(name));
  }

  private static FileEntry.Type type(byte code) throws GuestProtocolException {
    for (FileEntry.Type type : FileEntry.Type.values()) {
      if (type.code() == code) {
        return type;
      }
    }
    throw new GuestProtocolException("an ENTRY of type " + code);
  }

  private static boolean isName(byte[] name) {
    for (byte b : name) {
      if (b == 0 || b == '/') {
        return false;
      }
    }
    return name.length > 0 && name.length <= LONGEST_NAME;
  }
}
