package io.sandglass.api.dataplane;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Decodes a stream piece by piece: a character that is split between pieces waits for its rest, and
 * bytes that are no UTF-8 become U+FFFD. The pieces together are the text that decoding all at once
 * gives.
 */
public final class Utf8 {
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  private byte[] waiting = new byte[0];

  /** The characters that are complete now. */
  public String take(byte[] bytes, int length) {
    return decode(bytes, length, false);
  }

  /** What is left when nothing follows any more. */
  public String rest() {
    return decode(new byte[0], 0, true);
  }

  /** Bytes that wait for the rest of their character. */
  public int waiting() {
    return waiting.length;
  }

  private String decode(byte[] bytes, int length, boolean last) {
    ByteBuffer in = ByteBuffer.allocate(waiting.length + length);
    in.put(waiting).put(bytes, 0, length).flip();
    CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
    decoder.decode(in, out, last);
    if (last) {
      decoder.flush(out);
    }
    waiting = new byte[in.remaining()];
    in.get(waiting);
    return out.flip().toString();
  }
}
