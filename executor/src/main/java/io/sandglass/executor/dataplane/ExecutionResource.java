package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Executions;
import io.sandglass.executor.sandbox.Executions.Admission;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
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
  private final BooleanSupplier ready;
  private final ObjectMapper json;

  /**
   * @param ready whether this node has seen yet what it holds
   */
  public ExecutionResource(Executions executions, BooleanSupplier ready, ObjectMapper json) {
    this.executions = executions;
    this.ready = ready;
    this.json = json;
  }

  @POST
  public Response execute(
      @PathParam("id") String sandboxId,
      @HeaderParam(RequestId.HEADER) String requestIdHeader,
      ExecutionBody body) {
    Optional<String> requestId = RequestId.of(requestIdHeader);
    Optional<String> fault = body == null ? Optional.of("the body is missing") : body.fault();
    if (fault.isPresent()) {
      return Problem.response(400, "invalid_request", fault.get(), requestId.orElse(null));
    }
    if (!ready.getAsBoolean()) {
      return Problem.response(
          503, "not_ready", "the executor has just started", requestId.orElse(null));
    }
    Life life = new Life(sandboxId, body.incarnation());
    return switch (executions.admit(life, body.request(), requestId)) {
      case Admission.Admitted admitted ->
          Response.ok(new FrameAnswer(admitted.execution(), json))
              .type(FrameStream.MEDIA_TYPE)
              .build();
      case Admission.Denied denied -> problem(denied, requestId.orElse(null));
    };
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
