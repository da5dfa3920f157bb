package io.sandglass.api.http;

import jakarta.ws.rs.core.StreamingOutput;
import java.util.Map;

/**
 * An answer before it is written.
 *
 * @param headers those that a repetition of the request gets again
 * @param entity null for none
 */
public record Reply(int status, Map<String, String> headers, Object entity) {

  public Reply {
    headers = Map.copyOf(headers);
  }

  /** Whether the entity comes into being while it is written. */
  boolean isLive() {
    return entity instanceof StreamingOutput;
  }

  public static Reply ok(Object entity) {
    return new Reply(200, Map.of(), entity);
  }
}
