package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.GuestAnswer;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Detached;
import io.sandglass.executor.sandbox.Executions;
import io.sandglass.executor.sandbox.Executions.Admission;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Runs a command in a sandbox and streams what comes of it. */
@Path("/sandboxes/{id}/executions")
@Consumes(MediaType.APPLICATION_JSON)
@Produces({FrameStream.MEDIA_TYPE, Problem.MEDIA_TYPE})
public final class ExecutionResource {
  private final Executions executions;
  private final Detached detached;
  private final BooleanSupplier ready;
  private final ObjectMapper json;

  /**
   * @param ready whether this node has seen yet what it holds
   */
  public ExecutionResource(
      Executions executions, Detached detached, BooleanSupplier ready, ObjectMapper json) {
    this.executions = executions;
    this.detached = detached;
    this.ready = ready;
    this.json = json;
  }

  @POST
  public Response execute(
      @PathParam("id") String sandboxId,
      @HeaderParam(RequestId.HEADER) String requestIdHeader,
      ExecutionBody body)
      throws InterruptedException {
    Optional<String> requestId = RequestId.of(requestIdHeader);
    Optional<String> fault = body == null ? Optional.of("the body is missing") : body.fault();
    if (fault.isPresent()) {
      return Problem.response(400, "invalid_request", fault.get(), requestId.orElse(null));
    }
    if (!ready.getAsBoolean()) {
      return Problem.notReady(requestId.orElse(null));
    }
    Life life = new Life(sandboxId, body.incarnation());
    executions.awaitRunning(life, body.wake());
    if (body.detach()) {
      return started(detached.start(life, body.request(), requestId), requestId.orElse(null));
    }
    return switch (executions.admit(life, body.request(), requestId)) {
      case Admission.Admitted admitted ->
          Response.ok(new FrameAnswer(admitted.execution(), json))
              .type(FrameStream.MEDIA_TYPE)
              .build();
      case Admission.Denied denied -> problem(denied, requestId.orElse(null));
    };
  }

  private static Response started(Detached.Start start, String requestId) {
    return switch (start) {
      case Detached.Start.Running() -> Response.accepted().build();
      case Detached.Start.Denied(Admission.Denied denied) -> problem(denied, requestId);
      case Detached.Start.Failed(ExecutionEnd end) -> {
        String[] failure = end.failure().orElse("lost: no reason given").split(": ", 2);
        yield Problem.response(502, failure[0], failure[failure.length - 1], requestId);
      }
    };
  }

  /** The output of a detached execution, from these offsets on. */
  @GET
  @Path("/{execution}/output")
  @Consumes(MediaType.WILDCARD)
  public Response output(
      @PathParam("id") String sandboxId,
      @PathParam("execution") String executionId,
      @QueryParam("incarnation") int incarnation,
      @QueryParam("stdout") long stdout,
      @QueryParam("stderr") long stderr,
      @QueryParam("follow") boolean follow) {
    if (stdout < 0 || stderr < 0 || !ExecutionBody.isId(executionId)) {
      return Problem.response(400, "invalid_request", "an offset or the id is malformed", null);
    }
    return detached
        .attach(new Life(sandboxId, incarnation), executionId, stdout, stderr)
        .map(
            command ->
                Response.ok(
                        new OutputAnswer(
                            command,
                            new OutputAnswer.Query(executionId, stdout, stderr, follow),
                            json))
                    .type(FrameStream.MEDIA_TYPE)
                    .build())
        .orElseGet(ExecutionResource::notHere);
  }

  /** Kills a detached execution. */
  @DELETE
  @Path("/{execution}")
  @Consumes(MediaType.WILDCARD)
  public Response kill(
      @PathParam("id") String sandboxId,
      @PathParam("execution") String executionId,
      @QueryParam("incarnation") int incarnation)
      throws InterruptedException {
    if (!ExecutionBody.isId(executionId)) {
      return Problem.response(400, "invalid_request", "the id is malformed", null);
    }
    return detached
        .kill(new Life(sandboxId, incarnation), executionId)
        .map(
            answer ->
                switch (answer) {
                  case GuestAnswer.Exited _, GuestAnswer.Aborted _ -> Response.noContent().build();
                  case GuestAnswer.Refused(String code, String detail) ->
                      Problem.response(
                          code.equals("unknown_execution") ? 404 : 503, code, detail, null);
                  case GuestAnswer.Broken(String reason) ->
                      Problem.response(502, "broken", reason, null);
                })
        .orElseGet(ExecutionResource::notHere);
  }

  private static Response notHere() {
    return Problem.response(409, "not_running", "the sandbox does not run here", null);
  }

  static Response problem(Admission.Denied denied, String requestId) {
    return switch (denied.reason()) {
      case UNKNOWN_SANDBOX -> Problem.response(404, "unknown_sandbox", denied.detail(), requestId);
      case NOT_RUNNING -> Problem.response(409, "not_running", denied.detail(), requestId);
      case ALREADY_STARTED ->
          Problem.response(409, "execution_already_started", denied.detail(), requestId);
      case GUEST_UNREACHABLE ->
          Problem.response(503, "guest_unreachable", denied.detail(), requestId);
      case TOO_MANY -> Problem.response(503, "too_many_executions", denied.detail(), requestId);
    };
  }
}
