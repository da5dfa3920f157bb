package io.sandglass.executor.guest;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A guest, or whoever claims to be one, that says what a test wants it to say. */
final class ScriptedGuest implements AutoCloseable {

  final SocketChannel channel;

  private ScriptedGuest(SocketChannel channel) {
    this.channel = channel;
  }

  static ScriptedGuest connect(Path directory) throws IOException {
    return new ScriptedGuest(
        SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("host.sock"))));
  }

  /** Connects and introduces itself. */
  static ScriptedGuest offer(Path directory, String token) throws IOException {
    ScriptedGuest guest = connect(directory);
    guest.send(hello(1, token));
    return guest;
  }

  static byte[] hello(int version, String token) {
    byte[] claimed = token.getBytes(StandardCharsets.UTF_8);
    ByteBuffer payload = ByteBuffer.allocate(2 + 4 + 4 + 4 + claimed.length);
    payload.putShort((short) version).putInt(4).put("test".getBytes(StandardCharsets.UTF_8));
    payload.putInt(claimed.length).put(claimed);
    return frame('H', payload.array());
  }

  static byte[] frame(char type, byte... payload) {
    ByteBuffer frame = ByteBuffer.allocate(5 + payload.length);
    return frame.put((byte) type).putInt(payload.length).put(payload).array();
  }

  static byte[] started() {
    return frame('S', (byte) 0, (byte) 0, (byte) 0, (byte) 7);
  }

  static byte[] exit(int status, int flags) {
    byte[] payload = new byte[27];
    payload[0] = (byte) status;
    payload[1] = (byte) flags;
    return frame('X', payload);
  }

  static byte[] error(String code, String detail) {
    byte[] first = code.getBytes(StandardCharsets.UTF_8);
    byte[] second = detail.getBytes(StandardCharsets.UTF_8);
    ByteBuffer payload = ByteBuffer.allocate(8 + first.length + second.length);
    payload.putInt(first.length).put(first).putInt(second.length).put(second);
    return frame('F', payload.array());
  }

  void send(byte[]... frames) throws IOException {
    for (byte[] frame : frames) {
      Frames.write(channel, ByteBuffer.wrap(frame));
    }
  }

  /** Reads and returns the request. */
  ByteBuffer awaitRun() throws IOException {
    ByteBuffer payload = ByteBuffer.allocate(256 * 1024);
    if (Frames.read(channel, payload) != Frames.RUN) {
      throw new IOException("not a RUN");
    }
    return payload;
  }

  /** Reads until the host closes. */
  void awaitEnd() throws IOException {
    ByteBuffer ignored = ByteBuffer.allocate(4096);
    try {
      while (channel.read(ignored.clear()) >= 0) {
        // what the host says does not matter
      }
    } catch (IOException e) {
      // reset: closed with something unread
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
