package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Executions;
import io.sandglass.api.dataplane.Run;
import io.sandglass.api.http.Answers;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.JsonBodies.Body;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Reply;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.InputStream;

/** Running commands in a sandbox. */
@Path("/v1/sandboxes/{id}/execute")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Executions")
public final class ExecutionsResource {
  private final Executions executions;
  private final JsonBodies bodies;
  private final Idempotency idempotency;

  public ExecutionsResource(Executions executions, JsonBodies bodies, Idempotency idempotency) {
    this.executions = executions;
    this.bodies = bodies;
    this.idempotency = idempotency;
  }

  /** How it ended. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "ExecutionResult")
  record ResultView(
      @Schema(description = "124 after a timeout, 128+n after signal n") int exitCode,
      @Schema(description = "The first 10 MiB; bytes that are no UTF-8 are replaced") String stdout,
      @Schema(description = "The first 10 MiB; bytes that are no UTF-8 are replaced") String stderr,
      long durationMs,
      boolean timedOut,
      @Schema(description = "Whether output was dropped") boolean truncated) {

    static ResultView of(Run.Finished run) {
      return new ResultView(
          run.exitCode(),
          run.stdout(),
          run.stderr(),
          run.durationMs(),
          run.timedOut(),
          run.truncated());
    }
  }

  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(operationId = "execute", summary = "Run a command and wait for its end")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = ExecuteRequest.class)))
  @ApiResponse(
      responseCode = "200",
      description = "It ended, with whatever exit code",
      content = @Content(schema = @Schema(implementation = ResultView.class)))
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.NOT_RUNNING,
    ProblemType.EXECUTION_IN_DOUBT,
    ProblemType.IDEMPOTENCY_CONFLICT,
    ProblemType.EXECUTION_OUTCOME_UNKNOWN
  })
  public Response execute(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = "The command never runs twice for one key")
          @HeaderParam("Idempotency-Key")
          String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<ExecuteRequest> request =
        bodies.read(body, ExecuteRequest.class, ExecuteRequest.LARGEST_BODY);
    Executions.Request command = request.value().check();
    return idempotency.answer(
        Calls.once(caller, idempotencyKey, uri, request),
        () -> Answers.value(executions.check(caller.orgId(), id)),
        (origin, sandbox) ->
            Answer.carry(
                executions.run(origin, sandbox, command), run -> Reply.ok(ResultView.of(run))));
  }
}
