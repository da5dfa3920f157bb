package io.sandglass.executor.dataplane;

import io.sandglass.executor.sandbox.Lanes;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;

/**
 * Sets a container that was started ahead aside for a sandbox that is about to be created: 204 when
 * it is, 409 when there is none. It starts at once; when nobody creates the sandbox after all, it
 * is found out when the log is next asked about it.
 */
@Path("/sandboxes/{id}/claim")
@Consumes(MediaType.APPLICATION_JSON)
@Produces(Problem.MEDIA_TYPE)
public final class ClaimResource {
  /** Who waits longer is quicker without. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Also a file's name, and a container's. */
  private static final Pattern SANDBOX_ID = Pattern.compile("sbx_[0-9a-z]{1,40}");

  private final Lanes lanes;
  private final BooleanSupplier ready;

  /**
   * @param ready whether this node has seen yet what it holds
   */
  public ClaimResource(Lanes lanes, BooleanSupplier ready) {
    this.lanes = lanes;
    this.ready = ready;
  }

  @POST
  public Response claim(
      @PathParam("id") String sandboxId,
      @HeaderParam(RequestId.HEADER) String requestIdHeader,
      ClaimBody body)
      throws InterruptedException {
    Optional<String> requestId = RequestId.of(requestIdHeader);
    if (body == null || !SANDBOX_ID.matcher(sandboxId).matches()) {
      return Problem.response(
          400, "invalid_request", "the body is missing, or the id malformed", null);
    }
    if (!ready.getAsBoolean()) {
      return Problem.notReady(requestId.orElse(null));
    }
    try {
      boolean claimed =
          lanes
              .startAhead(body.order(sandboxId, requestId))
              .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      return claimed ? Response.noContent().build() : none(requestId);
    } catch (IllegalArgumentException e) {
      return Problem.response(400, "invalid_request", e.getMessage(), requestId.orElse(null));
    } catch (TimeoutException e) {
      return none(requestId);
    } catch (ExecutionException e) {
      throw new IllegalStateException("Nobody fails it", e);
    }
  }

  private static Response none(Optional<String> requestId) {
    return Problem.response(
        409, "none_ready", "no container of that image is ready", requestId.orElse(null));
  }
}
