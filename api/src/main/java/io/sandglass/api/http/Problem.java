package io.sandglass.api.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;

/** RFC 9457. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@Schema(description = "Why a request failed (RFC 9457)")
public record Problem(
    @Schema(description = "Address of the page about this type", example = "/problems/not-running")
        String type,
    @Schema(description = "The same for every problem of the type") String title,
    int status,
    @Schema(description = "What happened this time") String detail,
    @Schema(description = "The path that was asked for") String instance,
    @Schema(description = "The type, for programs", example = "not_running") String code,
    String requestId,
    @Schema(description = "What is wrong where; with status 400 only") List<FieldError> errors) {

  public static final String MEDIA_TYPE = "application/problem+json";

  /**
   * @param pointer JSON pointer into the body (RFC 6901), or the name of a parameter or header
   */
  public record FieldError(String pointer, String detail) {}

  static Problem of(
      ProblemType type, String detail, String instance, String requestId, List<FieldError> errors) {
    return new Problem(
        "/problems/" + type.slug(),
        type.title(),
        type.status(),
        detail,
        instance,
        type.code(),
        requestId,
        errors);
  }
}
