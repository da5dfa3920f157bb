package io.sandglass.executor.dataplane;

import java.util.Optional;
import java.util.regex.Pattern;

/** The header that ties all that one request causes together. */
final class RequestId {
  static final String HEADER = "X-Request-Id";
  private static final Pattern VALID = Pattern.compile("[\\x21-\\x7e]{1,128}");

  private RequestId() {}

  static Optional<String> of(String header) {
    return Optional.ofNullable(header).filter(value -> VALID.matcher(value).matches());
  }
}
