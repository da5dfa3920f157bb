package io.sandglass.executor.dataplane;

import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Lanes;
import io.sandglass.executor.sandbox.Order;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** What a node does before the log asks for it, because somebody waits. */
@Path("/sandboxes/{id}")
@Produces(Problem.MEDIA_TYPE)
public final class AheadResource {
  /** Who waits longer is quicker without. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Also a file's name, and a container's. */
  private static final Pattern SANDBOX_ID = Pattern.compile("sbx_[0-9a-z]{1,40}");

  private final Lanes lanes;
  private final BooleanSupplier ready;

  /**
   * @param ready whether this node has seen yet what it holds
   */
  public AheadResource(Lanes lanes, BooleanSupplier ready) {
    this.lanes = lanes;
    this.ready = ready;
  }

  /**
   * Sets a container that was started ahead aside for a sandbox that is about to be created: 204
   * when it is, 409 when there is none. It starts at once; when nobody creates the sandbox after
   * all, that is found out when the log is next asked about it.
   */
  @POST
  @Path("claim")
  @Consumes(MediaType.APPLICATION_JSON)
  public Response claim(
      @PathParam("id") String sandboxId,
      @HeaderParam(RequestId.HEADER) String requestIdHeader,
      ClaimBody body)
      throws InterruptedException {
    Optional<String> requestId = RequestId.of(requestIdHeader);
    if (body == null || !SANDBOX_ID.matcher(sandboxId).matches()) {
      return Problem.response(
          400,
          "invalid_request",
          "the body is missing, or the id malformed",
          requestId.orElse(null));
    }
    try {
      Order.Start ahead = body.order(sandboxId, requestId);
      return answer(
          () -> lanes.startAhead(ahead),
          requestId,
          "none_ready",
          "no container of that image is ready");
    } catch (IllegalArgumentException e) {
      return Problem.response(400, "invalid_request", e.getMessage(), requestId.orElse(null));
    }
  }

  /**
   * Wakes a frozen sandbox for a call that is about to be written down: 204 when it is awake, 409
   * when it sleeps deeper or is not here. When nobody writes down anything, it is frozen again when
   * the log is next asked about it.
   */
  @POST
  @Path("thaw")
  @Consumes(MediaType.WILDCARD)
  public Response thaw(
      @PathParam("id") String sandboxId,
      @QueryParam("incarnation") int incarnation,
      @HeaderParam(RequestId.HEADER) String requestIdHeader)
      throws InterruptedException {
    return answer(
        () -> lanes.thaw(new Life(sandboxId, incarnation)),
        RequestId.of(requestIdHeader),
        "not_frozen",
        "the sandbox does not run, nor is it frozen here");
  }

  private Response answer(
      Supplier<CompletableFuture<Boolean>> work,
      Optional<String> requestId,
      String otherwise,
      String detail)
      throws InterruptedException {
    if (!ready.getAsBoolean()) {
      return Problem.notReady(requestId.orElse(null));
    }
    try {
      if (work.get().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        return Response.noContent().build();
      }
    } catch (TimeoutException e) {
      // No, as far as the caller is concerned.
    } catch (ExecutionException e) {
      throw new IllegalStateException("Nobody fails it", e);
    }
    return Problem.response(409, otherwise, detail, requestId.orElse(null));
  }
}
