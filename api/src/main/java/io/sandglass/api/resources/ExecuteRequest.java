package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.control.Executions;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** The body of an execute, as sent. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
record ExecuteRequest(
    @Schema(
            description = "Run by /bin/sh -c",
            requiredMode = Schema.RequiredMode.REQUIRED,
            example = "python3 -c 'print(6*7)'")
        String command,
    @Schema(
            description =
                "Up to 5m, 30s without it; detached up to 24h, 1h without it. Then its whole"
                    + " process tree is killed")
        String timeout,
    @Schema(description = "An absolute path") String workdir,
    @Schema(description = "Laid over the sandbox's own") Map<String, String> env,
    @Schema(
            description =
                "Its standard input, up to 1 MiB; without it, standard input is /dev/null. Not with"
                    + " detach")
        String stdin,
    @Schema(
            description = "Answer as soon as it runs: it goes on without the caller",
            defaultValue = "false")
        Boolean detach) {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration LONGEST_TIMEOUT = Duration.ofMinutes(5);
  private static final Duration DEFAULT_DETACHED_TIMEOUT = Duration.ofHours(1);
  private static final Duration LONGEST_DETACHED_TIMEOUT = Duration.ofHours(24);

  /** What Linux takes as one argument of a program, its terminating NUL included. */
  private static final int LONGEST_COMMAND = 128 * 1024 - 1;

  private static final int LONGEST_PATH = 4096;
  private static final int LONGEST_INPUT = 1024 * 1024;

  /** Of a request's JSON: room for the input, and for the quoting of what needs it. */
  static final int LARGEST_BODY = 2 * 1024 * 1024;

  boolean detached() {
    return Boolean.TRUE.equals(detach);
  }

  Executions.Request check() {
    Violations violations = new Violations();
    if (command == null || command.isEmpty()) {
      violations.add("/command", "Expected a command.");
    } else if (Checks.utf8(command) > LONGEST_COMMAND) {
      violations.add("/command", "Expected up to " + LONGEST_COMMAND + " bytes.");
    }
    if (workdir != null && (!workdir.startsWith("/") || Checks.utf8(workdir) > LONGEST_PATH)) {
      violations.add("/workdir", "Expected an absolute path of up to " + LONGEST_PATH + " bytes.");
    }
    if (stdin != null && detached()) {
      violations.add("/stdin", "Expected none, as a detached execution takes no input.");
    } else if (stdin != null && Checks.utf8(stdin) > LONGEST_INPUT) {
      violations.add("/stdin", "Expected up to " + LONGEST_INPUT + " bytes.");
    }
    Optional<Duration> limit =
        detached()
            ? Checks.duration(
                "/timeout", timeout, DEFAULT_DETACHED_TIMEOUT, LONGEST_DETACHED_TIMEOUT, violations)
            : Checks.duration("/timeout", timeout, DEFAULT_TIMEOUT, LONGEST_TIMEOUT, violations);
    Map<String, String> variables = Checks.env("/env", env, violations);
    violations.throwIfAny();
    return new Executions.Request(command, limit.orElseThrow(), workdir, variables, stdin);
  }

  @Override
  public String toString() {
    return "ExecuteRequest";
  }
}
