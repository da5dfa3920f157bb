package io.sandglass.api.http;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.control.Answer;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** What was decided, as HTTP says it. */
public final class Answers {
  private static final String RETRY_AFTER = "1";

  private Answers() {}

  /** The body of a 202: the command's resource tells more later. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record PendingView(String id, String sandboxId, String status) {}

  /**
   * The answer.
   *
   * @throws ProblemException for a refusal
   */
  public static Response response(Answer<Reply> answer) {
    return switch (answer) {
      case Answer.Done<Reply>(Reply reply) -> {
        Response.ResponseBuilder response = Response.status(reply.status());
        reply.headers().forEach(response::header);
        if (reply.entity() != null) {
          if (!reply.headers().containsKey(HttpHeaders.CONTENT_TYPE)) {
            response.type(MediaType.APPLICATION_JSON_TYPE);
          }
          response.entity(reply.entity());
        }
        yield response.build();
      }
      case Answer.Pending<Reply>(String commandId, String sandboxId) ->
          Response.status(Response.Status.ACCEPTED)
              .header(HttpHeaders.LOCATION, "/v1/commands/" + commandId)
              .header(HttpHeaders.RETRY_AFTER, RETRY_AFTER)
              .type(MediaType.APPLICATION_JSON_TYPE)
              .entity(new PendingView(commandId, sandboxId, "pending"))
              .build();
      case Answer.Refused<Reply> refused -> throw problem(refused);
    };
  }

  /**
   * The value.
   *
   * @throws ProblemException for a refusal
   */
  public static <T> T value(Answer<T> answer) {
    return switch (answer) {
      case Answer.Done<T>(T value) -> value;
      case Answer.Pending<T> _ ->
          throw new IllegalStateException("Reading never has to wait for a decision");
      case Answer.Refused<T> refused -> throw problem(refused);
    };
  }

  private static ProblemException problem(Answer.Refused<?> refused) {
    ProblemType type = ProblemType.ofCode(refused.code()).orElse(ProblemType.CONFLICT);
    return type == ProblemType.INVALID_REQUEST
        ? ProblemException.invalid("", refused.detail())
        : new ProblemException(type, refused.detail());
  }
}
