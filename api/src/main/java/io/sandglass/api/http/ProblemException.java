package io.sandglass.api.http;

import io.sandglass.api.http.Problem.FieldError;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Ends a request with a problem. */
public final class ProblemException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ProblemType type;
  private final transient List<FieldError> errors;
  private final transient Map<String, String> headers = new LinkedHashMap<>();

  public ProblemException(ProblemType type, String detail) {
    this(type, detail, List.of());
  }

  public ProblemException(ProblemType type, String detail, List<FieldError> errors) {
    super(detail);
    this.type = type;
    this.errors = List.copyOf(errors);
  }

  /** One flaw, at one place. */
  public static ProblemException invalid(String pointer, String detail) {
    return new ProblemException(
        ProblemType.INVALID_REQUEST, detail, List.of(new FieldError(pointer, detail)));
  }

  public ProblemType type() {
    return type;
  }

  /** With a header that goes with it. */
  public ProblemException with(String header, String value) {
    headers.put(header, value);
    return this;
  }

  Map<String, String> headers() {
    return headers;
  }

  List<FieldError> errors() {
    return errors;
  }
}
