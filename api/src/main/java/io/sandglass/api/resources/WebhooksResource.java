package io.sandglass.api.resources;

import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Webhooks;
import io.sandglass.api.domain.Delivery;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.domain.Webhook;
import io.sandglass.api.http.Answers;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.JsonBodies.Body;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Reply;
import io.sandglass.api.http.Requires;
import io.sandglass.api.resources.WebhookView.WebhookList;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.InputStream;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Where an organization wants to hear of its events. */
@Path("/v1/webhooks")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Webhooks")
public final class WebhooksResource {
  private final Webhooks webhooks;
  private final JsonBodies bodies;
  private final Idempotency idempotency;

  public WebhooksResource(Webhooks webhooks, JsonBodies bodies, Idempotency idempotency) {
    this.webhooks = webhooks;
    this.bodies = bodies;
    this.idempotency = idempotency;
  }

  /** What keeps something from being done with a webhook, whatever it is. */
  @Documented({
    ProblemType.WEBHOOK_NOT_FOUND,
    ProblemType.IDEMPOTENCY_CONFLICT,
    ProblemType.REQUEST_IN_DOUBT
  })
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.METHOD)
  private @interface WebhookProblems {}

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "createWebhook",
      summary = "Have the organization's events posted to a URL; the secret is shown once",
      description =
          "Every event from now on is posted as a WebhookMessage, signed as in Standard Webhooks"
              + " 1.0, at least once, each sandbox's in order. Answers other than 2xx are retried"
              + " over three days; 410 disables the webhook.")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = WebhookRequest.Creation.class)))
  @ApiResponse(
      responseCode = "201",
      description = "Made",
      content = @Content(schema = @Schema(implementation = WebhookView.class)))
  @Documented({
    ProblemType.TOO_MANY_WEBHOOKS,
    ProblemType.IDEMPOTENCY_CONFLICT,
    ProblemType.REQUEST_IN_DOUBT
  })
  public Response create(
      @Parameter(hidden = true) @Auth Caller caller,
      @Parameter(description = "Makes a repetition harmless") @HeaderParam("Idempotency-Key")
          String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<WebhookRequest.Creation> request = bodies.read(body, WebhookRequest.Creation.class);
    return idempotency.answer(
        Calls.single(caller, idempotencyKey, uri, request),
        () -> request.value().check(webhooks),
        (origin, draft) ->
            Answer.carry(
                webhooks.create(origin, draft),
                made ->
                    new Reply(
                        201,
                        Map.of(
                            HttpHeaders.LOCATION,
                            "/v1/webhooks/" + made.webhook().id(),
                            HttpHeaders.CACHE_CONTROL,
                            "no-store"),
                        WebhookView.of(made))));
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Operation(operationId = "listWebhooks", summary = "List the webhooks")
  @ApiResponse(
      responseCode = "200",
      description = "All of them, oldest first",
      content = @Content(schema = @Schema(implementation = WebhookList.class)))
  public WebhookList list(@Parameter(hidden = true) @Auth Caller caller) {
    return new WebhookList(webhooks.list(caller.orgId()).stream().map(WebhookView::of).toList());
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{id}")
  @Operation(operationId = "getWebhook", summary = "Read a webhook")
  @ApiResponse(
      responseCode = "200",
      description = "The webhook",
      content = @Content(schema = @Schema(implementation = WebhookView.class)))
  @Documented(ProblemType.WEBHOOK_NOT_FOUND)
  public WebhookView get(
      @Parameter(hidden = true) @Auth Caller caller, @PathParam("id") String id) {
    return WebhookView.of(Answers.value(webhooks.find(caller.orgId(), clean(id))));
  }

  @PATCH
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}")
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(operationId = "changeWebhook", summary = "Change, disable or enable a webhook")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = WebhookRequest.Changes.class)))
  @ApiResponse(
      responseCode = "200",
      description = "As it is now",
      content = @Content(schema = @Schema(implementation = WebhookView.class)))
  @Documented(ProblemType.WEBHOOK_NOT_FOUND)
  public WebhookView change(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(hidden = true) InputStream body) {
    Body<WebhookRequest.Changes> request = bodies.read(body, WebhookRequest.Changes.class);
    Webhook _ = Answers.value(webhooks.find(caller.orgId(), clean(id)));
    return WebhookView.of(
        Answers.value(webhooks.change(caller.orgId(), id, request.value().check(webhooks))));
  }

  @DELETE
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}")
  @Operation(
      operationId = "deleteWebhook",
      summary = "Delete a webhook and its deliveries; nothing more is sent")
  @ApiResponse(responseCode = "204", description = "Deleted")
  @Documented(ProblemType.WEBHOOK_NOT_FOUND)
  public Response delete(
      @Parameter(hidden = true) @Auth Caller caller, @PathParam("id") String id) {
    if (!webhooks.delete(caller.orgId(), clean(id))) {
      throw notFound();
    }
    return Response.noContent().build();
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}/rotate-secret")
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  @Operation(
      operationId = "rotateWebhookSecret",
      summary = "Give a webhook a new secret, which is shown once",
      description = "For 24 hours messages are signed with both, the new one first.")
  @ApiResponse(
      responseCode = "200",
      description = "The webhook with its new secret",
      content = @Content(schema = @Schema(implementation = WebhookView.class)))
  @WebhookProblems
  public Response rotate(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    String webhook = clean(id);
    return once(
        caller,
        idempotencyKey,
        uri,
        body,
        () ->
            Answer.carry(
                webhooks.rotate(caller.orgId(), webhook),
                revealed ->
                    new Reply(
                        200,
                        Map.of(HttpHeaders.CACHE_CONTROL, "no-store"),
                        WebhookView.of(revealed))));
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}/test")
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  @Operation(
      operationId = "testWebhook",
      summary = "Send a test, at once",
      description =
          "A WebhookTest is posted to the webhook's url, signed as events are, whatever types it"
              + " asked for. It is sent once: it fails when it is not taken, and changes nothing"
              + " else. What came of it is in its delivery.")
  @ApiResponse(
      responseCode = "202",
      description = "The delivery, which is pending",
      content = @Content(schema = @Schema(implementation = DeliveryView.class)))
  @WebhookProblems
  @Documented(ProblemType.WEBHOOK_DISABLED)
  public Response test(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    String webhook = clean(id);
    return once(
        caller, idempotencyKey, uri, body, () -> pending(webhooks.test(caller.orgId(), webhook)));
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{id}/deliveries")
  @Operation(
      operationId = "listDeliveries",
      summary = "Read what was sent and what waits, newest first",
      description = "Deliveries that are over are kept for 30 days.")
  @ApiResponse(
      responseCode = "200",
      description = "A page of it",
      content = @Content(schema = @Schema(implementation = DeliveryView.Page.class)))
  @Documented(ProblemType.WEBHOOK_NOT_FOUND)
  public DeliveryView.Page deliveries(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = "pending, delivered or failed; any of these; without it, all")
          @QueryParam("status")
          List<String> status,
      @Parameter(description = "1 to 1000, 100 without it") @QueryParam("limit") String limit,
      @Parameter(description = "The next_cursor of another page") @QueryParam("cursor")
          String cursor) {
    int most = ListQuery.limit(limit);
    return DeliveryView.Page.of(
        Answers.value(
            webhooks.deliveries(
                caller.orgId(),
                clean(id),
                DeliveryView.states(status),
                DeliveryView.position(cursor),
                most + 1)),
        most);
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{id}/deliveries/{delivery}")
  @Operation(operationId = "getDelivery", summary = "Read one delivery")
  @ApiResponse(
      responseCode = "200",
      description = "The delivery",
      content = @Content(schema = @Schema(implementation = DeliveryView.class)))
  @Documented({ProblemType.WEBHOOK_NOT_FOUND, ProblemType.DELIVERY_NOT_FOUND})
  public DeliveryView delivery(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @PathParam("delivery") String delivery) {
    return DeliveryView.of(
        Answers.value(webhooks.delivery(caller.orgId(), clean(id), cleanDelivery(delivery))));
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}/deliveries/{delivery}/redeliver")
  @Consumes({MediaType.APPLICATION_JSON, MediaType.WILDCARD})
  @Operation(
      operationId = "redeliver",
      summary = "Send an event again, at once",
      description =
          "Under the same webhook-id. What was delivered or given up is sent beside the others, out"
              + " of order; what is pending does not wait for its next attempt.")
  @ApiResponse(
      responseCode = "202",
      description = "The delivery, which is pending",
      content = @Content(schema = @Schema(implementation = DeliveryView.class)))
  @WebhookProblems
  @Documented({
    ProblemType.DELIVERY_NOT_FOUND,
    ProblemType.WEBHOOK_DISABLED,
    ProblemType.DELIVERY_WAITS
  })
  public Response redeliver(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @PathParam("delivery") String delivery,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    String webhook = clean(id);
    String asked = cleanDelivery(delivery);
    return once(
        caller,
        idempotencyKey,
        uri,
        body,
        () -> pending(webhooks.again(caller.orgId(), webhook, asked)));
  }

  /** Does what is asked for by the path alone, once for a key. */
  private Response once(
      Caller caller,
      String idempotencyKey,
      UriInfo uri,
      InputStream body,
      Supplier<Answer<Reply>> action) {
    Body<NoFields> request = bodies.readOptional(body, NoFields.class);
    return idempotency.answer(
        Calls.single(caller, idempotencyKey, uri, request), request::value, (_, _) -> action.get());
  }

  private static Answer<Reply> pending(Answer<Delivery> asked) {
    return Answer.carry(
        asked,
        delivery ->
            new Reply(
                202,
                Map.of(
                    HttpHeaders.LOCATION,
                    "/v1/webhooks/" + delivery.webhookId() + "/deliveries/" + delivery.id()),
                DeliveryView.of(delivery)));
  }

  private static String clean(String id) {
    if (!Checks.clean(id)) {
      throw notFound();
    }
    return id;
  }

  private static String cleanDelivery(String id) {
    if (!Checks.clean(id)) {
      throw new ProblemException(
          ProblemType.DELIVERY_NOT_FOUND, "The webhook has no such delivery.");
    }
    return id;
  }

  private static ProblemException notFound() {
    return new ProblemException(
        ProblemType.WEBHOOK_NOT_FOUND, "The organization has no such webhook.");
  }
}
