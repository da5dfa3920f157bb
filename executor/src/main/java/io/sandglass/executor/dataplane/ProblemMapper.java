package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.core.JsonProcessingException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Every exception as a problem, without a word of what the request contained. */
public final class ProblemMapper implements ExceptionMapper<Throwable> {
  private static final Logger LOG = LoggerFactory.getLogger(ProblemMapper.class);

  @Context private HttpHeaders headers;

  @Override
  public Response toResponse(Throwable error) {
    String requestId = RequestId.of(headers.getHeaderString(RequestId.HEADER)).orElse(null);
    return switch (error) {
      case WebApplicationException e when e.getResponse().getStatus() < 500 -> {
        Response.StatusType status = e.getResponse().getStatusInfo();
        String code = status.getReasonPhrase().toLowerCase(Locale.ROOT).replace(' ', '_');
        yield Problem.response(status.getStatusCode(), code, status.getReasonPhrase(), requestId);
      }
      case JsonProcessingException _ ->
          Problem.response(
              400, "invalid_request", "The body is not the JSON that was expected", requestId);
      default -> {
        LOG.error("request_id={} failed", requestId, error);
        yield Problem.response(500, "internal_error", "The executor failed", requestId);
      }
    };
  }
}
