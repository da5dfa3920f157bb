package io.sandglass.api.resources;

import io.sandglass.api.http.Problem.FieldError;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import java.util.ArrayList;
import java.util.List;

/** Collects everything that is wrong with a request, so that its author hears it all at once. */
final class Violations {
  private final List<FieldError> errors = new ArrayList<>();

  void add(String pointer, String detail) {
    errors.add(new FieldError(pointer, detail));
  }

  /** Ends the request when anything was found. */
  void throwIfAny() {
    if (!errors.isEmpty()) {
      throw new ProblemException(
          ProblemType.INVALID_REQUEST,
          errors.size() == 1
              ? errors.getFirst().detail()
              : "There are " + errors.size() + " errors.",
          errors);
    }
  }
}
