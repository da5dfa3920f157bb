package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.sandglass.executor.execution.CommandRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What the API asks to be run. Unknown fields are a newer API's.
 *
 * @param wake version of the order that wakes the sandbox, and that is to be waited for; 0 for none
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record ExecutionBody(
    @JsonProperty("execution_id") String executionId,
    @JsonProperty("incarnation") int incarnation,
    @JsonProperty("wake") long wake,
    @JsonProperty("command") String command,
    @JsonProperty("timeout_ms") long timeoutMillis,
    @JsonProperty("workdir") String workdir,
    @JsonProperty("env") Map<String, String> env,
    @JsonProperty("stdin") String stdin,
    @JsonProperty("detach") boolean detach) {

  private static final Duration LONGEST = Duration.ofHours(24);

  /** Also a file's name. */
  private static final Pattern EXECUTION_ID = Pattern.compile("[A-Za-z0-9_-]{1,80}");

  static boolean isId(String text) {
    return EXECUTION_ID.matcher(text).matches();
  }

  /** What is wrong with it; empty when nothing is. */
  Optional<String> fault() {
    if (executionId == null || !EXECUTION_ID.matcher(executionId).matches()) {
      return Optional.of("execution_id is missing or malformed");
    }
    if (incarnation < 1) {
      return Optional.of("incarnation is missing");
    }
    if (command == null || command.indexOf('\0') >= 0) {
      return Optional.of("command is missing or has a NUL");
    }
    if (timeoutMillis < 1 || timeoutMillis > LONGEST.toMillis()) {
      return Optional.of("timeout_ms is missing or out of range");
    }
    if (workdir != null && workdir.indexOf('\0') >= 0) {
      return Optional.of("workdir has a NUL");
    }
    if (detach && stdin != null) {
      return Optional.of("a detached execution takes no stdin");
    }
    if (env != null && env.entrySet().stream().anyMatch(ExecutionBody::isMalformed)) {
      return Optional.of("env has a malformed entry");
    }
    return Optional.empty();
  }

  private static boolean isMalformed(Map.Entry<String, String> entry) {
    String name = entry.getKey();
    String value = entry.getValue();
    return name.isEmpty()
        || name.indexOf('=') >= 0
        || name.indexOf('\0') >= 0
        || value == null
        || value.indexOf('\0') >= 0;
  }

  CommandRequest request() {
    return new CommandRequest(
        executionId,
        command,
        workdir == null ? "" : workdir,
        env == null ? Map.of() : env,
        Duration.ofMillis(timeoutMillis),
        Optional.ofNullable(stdin).map(text -> text.getBytes(StandardCharsets.UTF_8)),
        detach);
  }

  /** The rest is the user's. */
  @Override
  public String toString() {
    return "ExecutionBody[" + executionId + "]";
  }
}
