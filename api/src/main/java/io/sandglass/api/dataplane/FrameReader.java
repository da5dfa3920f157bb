package io.sandglass.api.dataplane;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * Reads the frames of one execution: type (1 byte), length (4 bytes, big endian), payload. Types:
 * {@code O} and {@code E} output, {@code X} the end, {@code F} a failure. A stream without an end
 * says nothing about the command's exit.
 */
final class FrameReader {
  /** How much of each stream a client gets. */
  static final int KEPT = 10 * 1024 * 1024;

  private static final int LARGEST_END = 64 * 1024;

  private final ObjectMapper json;
  private final Kept stdout = new Kept();
  private final Kept stderr = new Kept();

  FrameReader(ObjectMapper json) {
    this.json = json;
  }

  /** The head of a stream. */
  private static final class Kept {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean dropped;

    void take(byte[] chunk, int length) {
      int room = Math.min(length, KEPT - bytes.size());
      bytes.write(chunk, 0, room);
      dropped |= room < length;
    }

    /** Bytes that are no UTF-8 become U+FFFD. */
    String text() {
      return bytes.toString(StandardCharsets.UTF_8);
    }
  }

  Run read(InputStream stream) throws IOException {
    DataInputStream in = new DataInputStream(stream);
    while (true) {
      int type = in.read();
      if (type < 0) {
        return new Run.Unknown("The stream from the sandbox's node ended before the command did.");
      }
      long length = Integer.toUnsignedLong(in.readInt());
      switch (type) {
        case 'O' -> copy(in, length, stdout);
        case 'E' -> copy(in, length, stderr);
        case 'X' -> {
          return end(payload(in, length));
        }
        case 'F' -> {
          return failure(payload(in, length));
        }
        default -> {
          return new Run.Unknown("The sandbox's node sent what is no frame.");
        }
      }
    }
  }

  private Run end(JsonNode end) {
    if (!end.path("exit_code").isInt()) {
      return new Run.Unknown("The sandbox's node told an end without an exit code.");
    }
    return new Run.Finished(
        end.path("exit_code").intValue(),
        stdout.text(),
        stderr.text(),
        end.path("duration_ms").longValue(),
        end.path("timed_out").booleanValue(),
        end.path("truncated").booleanValue() || stdout.dropped || stderr.dropped);
  }

  private static Run failure(JsonNode failure) {
    String detail = failure.path("detail").asText("The sandbox's node could not follow it.");
    return switch (failure.path("code").asText("")) {
      case "not_running" -> new Run.NeverBegan(Run.Cause.NOT_RUNNING, detail);
      case "workdir_unavailable", "request_too_large", "cannot_exec" ->
          new Run.NeverBegan(Run.Cause.NOT_POSSIBLE, detail);
      case "guest_unreachable", "no_resources" ->
          new Run.NeverBegan(Run.Cause.NODE_UNAVAILABLE, detail);
      default -> new Run.Unknown(detail);
    };
  }

  private JsonNode payload(DataInputStream in, long length) throws IOException {
    if (length > LARGEST_END) {
      throw new IOException("A frame of " + length + " bytes");
    }
    byte[] bytes = in.readNBytes((int) length);
    if (bytes.length < length) {
      throw new EOFException();
    }
    return json.readTree(bytes);
  }

  private static void copy(DataInputStream in, long length, Kept kept) throws IOException {
    byte[] chunk = new byte[(int) Math.min(length, 64 * 1024)];
    long left = length;
    while (left > 0) {
      int read = in.read(chunk, 0, (int) Math.min(left, chunk.length));
      if (read < 0) {
        throw new EOFException();
      }
      kept.take(chunk, read);
      left -= read;
    }
  }
}
