package io.sandglass.executor.guest;

import io.sandglass.executor.files.FileException;
import io.sandglass.executor.files.FileFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.concurrent.Future;

/**
 * One file request on a connection of its own. All that goes wrong on this side of a transfer comes
 * out as a {@link FileException}. Used by one thread; {@link #close} may be called by any.
 */
final class FileConversation implements AutoCloseable {

  private final GuestEndpoint endpoint;
  private final SocketChannel channel;
  private final Future<?> limit;
  private final StallWatch stall;
  private final ByteBuffer payload = ByteBuffer.allocate(Frames.MAX_PAYLOAD);

  private FileConversation(GuestEndpoint endpoint, GuestPatience patience, SocketChannel channel) {
    this.endpoint = endpoint;
    this.channel = channel;
    this.limit = endpoint.discardAfter(channel, patience.transfer());
    this.stall = new StallWatch(patience.stall(), () -> endpoint.discard(channel));
  }

  static FileConversation begin(GuestEndpoint endpoint, GuestPatience patience, ByteBuffer request)
      throws FileException, InterruptedException {
    Optional<SocketChannel> taken = endpoint.take();
    if (taken.isEmpty()) {
      throw new FileException(
          FileFailure.GUEST_UNREACHABLE,
          "the sandbox offered no connection within " + patience.connection().toMillis() + " ms");
    }
    FileConversation conversation = new FileConversation(endpoint, patience, taken.get());
    try {
      conversation.send(request);
      return conversation;
    } catch (FileException e) {
      conversation.close();
      throw e;
    }
  }

  /** Sends one frame, or says what the guest has said instead of taking it. */
  void send(ByteBuffer frame) throws FileException {
    stall.enter();
    try {
      Frames.write(channel, frame);
    } catch (IOException e) {
      if (!channel.isOpen()) {
        throw lost(e);
      }
      // The guest has closed: after an ERROR, when it could.
      receive();
      throw lost(e);
    } finally {
      stall.leave();
    }
  }

  /** The next frame; its payload is {@link #payload}. */
  byte receive() throws FileException {
    byte type;
    stall.enter();
    try {
      type = Frames.read(channel, payload);
      if (type != Frames.ERROR) {
        return type;
      }
      String code = GuestExecution.printable(Frames.text(payload));
      String detail = GuestExecution.printable(Frames.text(payload));
      Frames.end(payload);
      throw FileFailure.ofCode(code)
          .map(failure -> new FileException(failure, detail))
          .orElseGet(
              () ->
                  new FileException(
                      FileFailure.BROKEN, "the guest gave up: " + code + ": " + detail));
    } catch (FileException e) {
      throw e;
    } catch (GuestProtocolException e) {
      throw nonsense(e);
    } catch (IOException e) {
      throw lost(e);
    } finally {
      stall.leave();
    }
  }

  ByteBuffer payload() {
    return payload;
  }

  void expect(byte type) throws FileException {
    byte got = receive();
    if (got != type) {
      throw unexpected(got);
    }
  }

  static FileException unexpected(byte type) {
    return nonsense(new GuestProtocolException("frame " + type + " out of turn"));
  }

  static FileException nonsense(GuestProtocolException e) {
    return new FileException(FileFailure.BROKEN, "the guest broke the protocol: " + e.getMessage());
  }

  private static FileException lost(IOException e) {
    return new FileException(
        FileFailure.BROKEN, "the connection to the guest was lost: " + e.getMessage());
  }

  @Override
  public void close() {
    limit.cancel(false);
    stall.close();
    endpoint.discard(channel);
  }
}
