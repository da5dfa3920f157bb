package io.sandglass.api.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/** Writes server-sent events, each at once, with data that is one line of JSON. */
public final class EventWriter {
  public static final String MEDIA_TYPE = "text/event-stream";

  /** For every answer of that type: nobody between keeps it or holds it back. */
  public static final Map<String, String> HEADERS =
      Map.of("Content-Type", MEDIA_TYPE, "Cache-Control", "no-store", "X-Accel-Buffering", "no");

  private static final Duration QUIET = Duration.ofSeconds(5);

  private final OutputStream out;
  private final ObjectMapper json;
  private long lastWrite = System.nanoTime();

  public EventWriter(OutputStream out, ObjectMapper json) {
    this.out = out;
    this.json = json;
  }

  /** Writes an event; blocks while the client does not read. */
  public void event(String name, Object data) throws IOException {
    write("event: " + name + "\ndata: " + json.writeValueAsString(data) + "\n\n");
  }

  /** Writes an event from behind which a client may go on. */
  public void event(String name, String id, Object data) throws IOException {
    write("event: " + name + "\nid: " + id + "\ndata: " + json.writeValueAsString(data) + "\n\n");
  }

  /**
   * Writes a comment when nothing was written for a while: what is silent may be taken for dead.
   */
  public void beat() throws IOException {
    if (System.nanoTime() - lastWrite > QUIET.toNanos()) {
      write(": \n\n");
    }
  }

  private void write(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
    lastWrite = System.nanoTime();
  }
}
