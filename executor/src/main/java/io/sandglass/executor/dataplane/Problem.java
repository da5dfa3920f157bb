package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import jakarta.ws.rs.core.Response;

/** An error before the stream of frames, as RFC 9457 has it. */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Problem(
    String type,
    String title,
    int status,
    String detail,
    String code,
    @JsonProperty("request_id") String requestId) {

  static final String MEDIA_TYPE = "application/problem+json";

  /** This node has not seen yet what it holds. */
  static Response notReady(String requestId) {
    return response(503, "not_ready", "the executor has just started", requestId);
  }

  static Response response(int status, String code, String detail, String requestId) {
    String title = code.replace('_', ' ');
    return Response.status(status)
        .type(MEDIA_TYPE)
        .entity(
            new Problem(
                "/problems/" + code.replace('_', '-'), title, status, detail, code, requestId))
        .build();
  }
}
