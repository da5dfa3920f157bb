package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.dataplane.NodeStream;
import io.sandglass.api.dataplane.Utf8;
import io.swagger.v3.oas.annotations.media.Schema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** One output stream of a command as events, character by character whole. */
final class LiveOutput {
  private final String event;
  private final Utf8 decoder = new Utf8();
  private final ByteArrayOutputStream kept;
  private long seen;
  private long told;

  /**
   * @param from the offset of the first byte that will come
   * @param keep whether all of it is remembered
   */
  LiveOutput(NodeStream.Channel channel, long from, boolean keep) {
    this.event = channel.name().toLowerCase(Locale.ROOT);
    this.seen = from;
    this.told = from;
    this.kept = keep ? new ByteArrayOutputStream() : null;
  }

  /** A piece of output. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "OutputPiece")
  record Piece(
      @Schema(description = "Whole characters; bytes that are no UTF-8 are replaced") String text,
      @Schema(description = "Where the piece begins, in bytes of the stream") long offset,
      @Schema(description = "Where the next piece begins") long nextOffset) {}

  /** Takes events. */
  @FunctionalInterface
  interface Events {
    void event(String name, Object data) throws IOException;
  }

  void take(byte[] bytes, int length, Events events) throws IOException {
    if (kept != null) {
      kept.write(bytes, 0, length);
    }
    seen += length;
    tell(decoder.take(bytes, length), events);
  }

  /** Nothing follows: half a character is told as what it is. */
  void end(Events events) throws IOException {
    tell(decoder.rest(), events);
  }

  private void tell(String text, Events events) throws IOException {
    if (!text.isEmpty()) {
      long from = told;
      told = seen - decoder.waiting();
      events.event(event, new Piece(text, from, told));
    }
  }

  /** Where the next piece begins. */
  long told() {
    return told;
  }

  String text() {
    return kept == null ? "" : kept.toString(StandardCharsets.UTF_8);
  }
}
