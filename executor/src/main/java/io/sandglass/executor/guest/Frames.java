package io.sandglass.executor.guest;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Encoding and bounded decoding of the frames in {@code guest/README.md}. */
final class Frames {

  static final int PROTOCOL_VERSION = 1;

  static final byte HELLO = 'H';
  static final byte STARTED = 'S';
  static final byte STDOUT = 'O';
  static final byte STDERR = 'E';
  static final byte EXIT = 'X';
  static final byte ERROR = 'F';
  static final byte RUN = 'R';
  static final byte STDIN = 'I';
  static final byte STDIN_EOF = 'C';
  static final byte KILL = 'K';
  static final byte ATTACH = 'A';
  static final byte FORGET = 'W';
  static final byte TOTALS = 'T';

  private static final byte RUN_STDIN = 1;
  private static final byte RUN_DETACHED = 2;

  static final int EXIT_TIMED_OUT = 1;
  static final int EXIT_KILLED = 2;
  static final int EXIT_SURVIVORS = 8;

  static final int HEADER = 5;
  static final int MAX_PAYLOAD = 64 * 1024;
  static final int MAX_HELLO = 512;
  private static final int MAX_RUN = 256 * 1024;

  private Frames() {}

  /** Empty when the request is too long for one frame. */
  static Optional<ByteBuffer> run(GuestCommand command) {
    List<byte[]> texts = new ArrayList<>();
    texts.add(utf8(command.executionId()));
    texts.add(utf8(command.command()));
    texts.add(utf8(command.workdir()));
    for (Map.Entry<String, String> variable : command.env().entrySet()) {
      texts.add(utf8(variable.getKey()));
      texts.add(utf8(variable.getValue()));
    }
    long payload = 7; // timeout, flags, count
    for (byte[] text : texts) {
      payload += 4L + text.length;
    }
    if (payload > MAX_RUN || command.env().size() > 0xffff) {
      return Optional.empty();
    }
    ByteBuffer frame = ByteBuffer.allocate(HEADER + (int) payload);
    frame.put(RUN).putInt((int) payload);
    for (byte[] text : texts.subList(0, 3)) {
      frame.putInt(text.length).put(text);
    }
    frame.putInt((int) command.timeout().toMillis());
    int flags =
        (command.stdin().isPresent() ? RUN_STDIN : 0) | (command.detached() ? RUN_DETACHED : 0);
    frame.put((byte) flags);
    frame.putShort((short) command.env().size());
    for (byte[] text : texts.subList(3, texts.size())) {
      frame.putInt(text.length).put(text);
    }
    return Optional.of(frame.flip());
  }

  /** The next frame of standard input, from what {@code rest} still has. */
  static ByteBuffer stdin(ByteBuffer rest) {
    byte[] bytes = new byte[Math.min(rest.remaining(), MAX_PAYLOAD)];
    rest.get(bytes);
    return ByteBuffer.allocate(HEADER + bytes.length)
        .put(STDIN)
        .putInt(bytes.length)
        .put(bytes)
        .flip();
  }

  static ByteBuffer stdinEof() {
    return ByteBuffer.allocate(HEADER).put(STDIN_EOF).putInt(0).flip();
  }

  static ByteBuffer attach(String executionId, long stdout, long stderr) {
    byte[] id = utf8(executionId);
    return ByteBuffer.allocate(HEADER + 4 + id.length + 16)
        .put(ATTACH)
        .putInt(4 + id.length + 16)
        .putInt(id.length)
        .put(id)
        .putLong(stdout)
        .putLong(stderr)
        .flip();
  }

  static ByteBuffer forget(String executionId) {
    byte[] id = utf8(executionId);
    return ByteBuffer.allocate(HEADER + 4 + id.length)
        .put(FORGET)
        .putInt(4 + id.length)
        .putInt(id.length)
        .put(id)
        .flip();
  }

  static ByteBuffer kill() {
    return ByteBuffer.allocate(HEADER).put(KILL).putInt(0).flip();
  }

  static void write(SocketChannel channel, ByteBuffer frame) throws IOException {
    while (frame.hasRemaining()) {
      channel.write(frame);
    }
  }

  /**
   * Reads one frame; its payload is what {@code buffer} then holds. A longer one than the buffer is
   * a violation, whatever follows.
   *
   * @return the type
   * @throws EOFException when the connection has ended
   */
  static byte read(SocketChannel channel, ByteBuffer buffer) throws IOException {
    fill(channel, buffer.clear().limit(HEADER));
    byte type = buffer.get();
    int length = buffer.getInt();
    if (length < 0 || length > buffer.capacity()) {
      throw new GuestProtocolException("a frame of " + Integer.toUnsignedString(length) + " bytes");
    }
    fill(channel, buffer.clear().limit(length));
    return type;
  }

  /** The bytes of the next text. */
  static byte[] text(ByteBuffer payload) throws GuestProtocolException {
    int length = payload.remaining() < 4 ? -1 : payload.getInt();
    if (length < 0 || length > payload.remaining()) {
      throw new GuestProtocolException("a text that does not fit its frame");
    }
    byte[] text = new byte[length];
    payload.get(text);
    return text;
  }

  static void end(ByteBuffer payload) throws GuestProtocolException {
    if (payload.hasRemaining()) {
      throw new GuestProtocolException(payload.remaining() + " bytes too many in a frame");
    }
  }

  private static void fill(SocketChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the guest closed the connection");
      }
    }
    buffer.flip();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
