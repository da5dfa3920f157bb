package io.sandglass.api.http;

import io.sandglass.api.control.LogUnavailableException;
import io.sandglass.api.http.Problem.FieldError;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns whatever a request throws into a problem. */
public final class ThrowableMapper implements ExceptionMapper<Throwable> {
  private static final Logger LOG = LoggerFactory.getLogger(ThrowableMapper.class);

  /** In seconds, where nobody knows better. */
  static final int RETRY_AFTER = 2;

  @Context private HttpServletRequest request;

  @Override
  public Response toResponse(Throwable thrown) {
    return switch (thrown) {
      case ProblemException problem -> {
        Response answer = answer(problem.type(), problem.getMessage(), problem.errors());
        problem.headers().forEach((name, value) -> answer.getHeaders().putSingle(name, value));
        yield answer;
      }
      case LogUnavailableException log -> {
        LOG.warn("code=log_unavailable {}", log.getMessage());
        yield answer(
            ProblemType.LOG_UNAVAILABLE,
            log.perhapsAppended()
                ? "Kafka did not acknowledge the command in time; it may still take effect."
                : "Kafka cannot be reached; nothing was done.",
            List.of());
      }
      case WebApplicationException web -> fromBelow(web);
      default -> fromOutside(thrown);
    };
  }

  private Response fromBelow(WebApplicationException web) {
    int status = web.getResponse().getStatus();
    if (status < 400) {
      return web.getResponse();
    }
    ProblemType type = ProblemType.ofStatus(status);
    if (type.status() >= 500) {
      LOG.error("code={}", type.code(), web);
    }
    Response.ResponseBuilder answer =
        Response.fromResponse(answer(type, type.description(), List.of()));
    String allow = web.getResponse().getHeaderString(HttpHeaders.ALLOW);
    if (allow != null) {
      answer.header(HttpHeaders.ALLOW, allow);
    }
    return answer.build();
  }

  private Response fromOutside(Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql && outOfReach(sql)) {
        LOG.warn("code=database_unavailable {}", sql.toString());
        return answer(
            ProblemType.DATABASE_UNAVAILABLE, "The database cannot be reached.", List.of());
      }
    }
    LOG.error("code=internal_error", thrown);
    return answer(ProblemType.INTERNAL_ERROR, ProblemType.INTERNAL_ERROR.description(), List.of());
  }

  private static boolean outOfReach(SQLException thrown) {
    String state = thrown.getSQLState() == null ? "" : thrown.getSQLState();
    return thrown instanceof SQLTransientException
        || thrown instanceof SQLNonTransientConnectionException
        || thrown instanceof SQLRecoverableException
        // 08: connection; 53: resources; 57: operator intervention; 58: system; 40 and those of
        // locks: others come first; 900xx of H2: closed.
        || state.matches("(08|40|53|57|58).*|HYT00|55P03|9009[08]|90007|90121")
        || thrown.getClass().getName().contains("PoolExhausted");
  }

  private Response answer(ProblemType type, String detail, List<FieldError> errors) {
    Response.ResponseBuilder answer =
        Response.status(type.status())
            .type(Problem.MEDIA_TYPE)
            .header(HttpHeaders.CACHE_CONTROL, "no-store")
            .entity(
                Problem.of(
                    type,
                    detail,
                    request.getRequestURI(),
                    (String) request.getAttribute(RequestIds.ATTRIBUTE),
                    errors));
    if (type.status() == 503 || type.status() == 429) {
      answer.header(HttpHeaders.RETRY_AFTER, RETRY_AFTER);
    }
    return answer.build();
  }
}
