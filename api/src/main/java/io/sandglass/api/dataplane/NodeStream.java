package io.sandglass.api.dataplane;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.EnumMap;
import java.util.Map;

/**
 * What one execution does, as its node tells it: frames of type (1 byte), length (4 bytes, big
 * endian), payload. Types: {@code S} it began, {@code O} and {@code E} output, {@code X} the end,
 * {@code F} a failure, {@code P} all that a detached one has written so far was told. A stream
 * without an end says nothing about the command's exit.
 *
 * <p>Nothing is read ahead: who does not ask for the next frame holds the command back.
 */
public final class NodeStream implements Closeable {
  /** How much of each stream a client gets. */
  public static final int KEPT = 10 * 1024 * 1024;

  private static final int LARGEST_END = 64 * 1024;
  private static final int LARGEST_PIECE = 64 * 1024;

  /** What happens next. */
  public sealed interface Frame {

    /** The shell runs. */
    record Started() implements Frame {}

    /** The first {@code length} bytes of the array, which are the receiver's. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    record Output(Channel channel, byte[] bytes, int length) implements Frame {}

    /** Nothing, but the node is alive. */
    record Beat() implements Frame {}

    /** All there is was told, and it goes on without a further frame: how much it wrote so far. */
    record Pause(long stdoutBytes, long stderrBytes) implements Frame {}

    /** There is no frame after this one. */
    record End(Run run) implements Frame {}
  }

  /** Where a command writes to. */
  public enum Channel {
    STDOUT,
    STDERR
  }

  private final ObjectMapper json;
  private final DataInputStream in;
  private final Runnable cut;
  private final Map<Channel, Long> seen = new EnumMap<>(Channel.class);

  private boolean ended;
  private Channel channel = Channel.STDOUT;
  private long left;
  private Frame unread;

  /**
   * @param body fails when the node falls silent: alive, it says something twice a second
   * @param cut ends the connection; does nothing when it has ended
   */
  NodeStream(ObjectMapper json, InputStream body, Runnable cut) {
    this.json = json;
    this.in = new DataInputStream(body);
    this.cut = cut;
  }

  /** Blocks until the next frame is there; broken streams end as {@link Run.Unknown}. */
  public Frame next() {
    if (unread != null) {
      Frame frame = unread;
      unread = null;
      return frame;
    }
    try {
      return read();
    } catch (IOException e) {
      return unknown("The stream from the sandbox's node broke off.");
    }
  }

  /**
   * Waits until it runs.
   *
   * @return the first frame when it is the end already, else null
   */
  Frame.End awaitStart() {
    while (true) {
      switch (next()) {
        case Frame.Started _ -> {
          return null;
        }
        case Frame.Beat _ -> {}
        case Frame.End end -> {
          if (end.run() instanceof Run.Finished) {
            unread = end;
            return null;
          }
          return end;
        }
        case Frame.Output output -> {
          unread = output;
          return null;
        }
        case Frame.Pause pause -> {
          unread = pause;
          return null;
        }
      }
    }
  }

  private Frame read() throws IOException {
    while (true) {
      if (left > 0) {
        byte[] bytes = new byte[(int) Math.min(left, LARGEST_PIECE)];
        int length = in.read(bytes);
        if (length < 0) {
          throw new EOFException();
        }
        left -= length;
        long before = seen.merge(channel, (long) length, Long::sum) - length;
        int room = (int) Math.min(length, Math.max(0, KEPT - before));
        if (room > 0) {
          return new Frame.Output(channel, bytes, room);
        }
        continue;
      }
      int type = in.read();
      if (type < 0) {
        return unknown("The stream from the sandbox's node ended before the command did.");
      }
      long length = Integer.toUnsignedLong(in.readInt());
      switch (type) {
        case 'S' -> {
          in.skipNBytes(length);
          return new Frame.Started();
        }
        case 'O', 'E' -> {
          if (length == 0) {
            return new Frame.Beat();
          }
          channel = type == 'O' ? Channel.STDOUT : Channel.STDERR;
          left = length;
        }
        case 'X' -> {
          JsonNode end = payload(length);
          ended = true;
          return finished(end);
        }
        case 'P' -> {
          JsonNode written = payload(length);
          ended = true;
          return new Frame.Pause(
              written.path("stdout_bytes").longValue(), written.path("stderr_bytes").longValue());
        }
        case 'F' -> {
          JsonNode failure = payload(length);
          ended = true;
          return new Frame.End(
              failure(
                  failure.path("code").asText(""),
                  failure.path("detail").asText("The sandbox's node could not follow it.")));
        }
        default -> {
          return unknown("The sandbox's node sent what is no frame.");
        }
      }
    }
  }

  private Frame finished(JsonNode end) {
    if (!end.path("exit_code").isInt()) {
      return unknown("The sandbox's node told an end without an exit code.");
    }
    boolean dropped = seen.values().stream().anyMatch(bytes -> bytes > KEPT);
    return new Frame.End(
        new Run.Finished(
            end.path("exit_code").intValue(),
            end.path("duration_ms").longValue(),
            end.path("timed_out").booleanValue(),
            end.path("truncated").booleanValue() || dropped,
            end.path("stdout_bytes").longValue(),
            end.path("stderr_bytes").longValue()));
  }

  /** What a node means by the code of a failure. */
  static Run failure(String code, String detail) {
    return switch (code) {
      case "not_running" -> new Run.NeverBegan(Run.Cause.NOT_RUNNING, detail);
      case "workdir_unavailable", "request_too_large", "cannot_exec", "bad_request" ->
          new Run.NeverBegan(Run.Cause.NOT_POSSIBLE, detail);
      case "guest_unreachable", "no_resources" ->
          new Run.NeverBegan(Run.Cause.NODE_UNAVAILABLE, detail);
      case "unknown_execution" -> new Run.Forgotten();
      default -> new Run.Unknown(detail);
    };
  }

  private static Frame unknown(String detail) {
    return new Frame.End(new Run.Unknown(detail));
  }

  private JsonNode payload(long length) throws IOException {
    if (length > LARGEST_END) {
      throw new IOException("A frame of " + length + " bytes");
    }
    byte[] bytes = in.readNBytes((int) length);
    if (bytes.length < length) {
      throw new EOFException();
    }
    return json.readTree(bytes);
  }

  /**
   * Before the end: the node kills the command, unless it is detached. After it, the connection
   * serves the next call. By the thread that reads.
   */
  @Override
  public void close() {
    if (ended) {
      try {
        in.close();
        return;
      } catch (IOException e) {
        // It serves no other.
      }
    }
    cut.run();
  }
}
