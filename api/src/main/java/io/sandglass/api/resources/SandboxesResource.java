package io.sandglass.api.resources;

import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Catalog;
import io.sandglass.api.control.Quotas;
import io.sandglass.api.control.Sandboxes;
import io.sandglass.api.control.Templates;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Answers;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.CreateRate;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.JsonBodies.Body;
import io.sandglass.api.http.Prefer;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Reply;
import io.sandglass.api.http.Requires;
import io.sandglass.api.store.SandboxStore;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
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
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A sandbox's life: created, listed, read, changed, kept alive, destroyed. */
@Path("/v1/sandboxes")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Sandboxes")
public final class SandboxesResource {
  private final Sandboxes sandboxes;
  private final Catalog catalog;
  private final Templates templates;
  private final JsonBodies bodies;
  private final Idempotency idempotency;
  private final CreateRate rate;

  public SandboxesResource(
      Sandboxes sandboxes,
      Catalog catalog,
      Templates templates,
      JsonBodies bodies,
      Idempotency idempotency,
      CreateRate rate) {
    this.sandboxes = sandboxes;
    this.catalog = catalog;
    this.templates = templates;
    this.bodies = bodies;
    this.idempotency = idempotency;
    this.rate = rate;
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(operationId = "createSandbox", summary = "Create a sandbox")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = CreateRequest.class)))
  @ApiResponse(
      responseCode = "201",
      description = "Created; it runs soon",
      content = @Content(schema = @Schema(implementation = SandboxView.class)))
  @Documented({
    ProblemType.TEMPLATE_NOT_FOUND,
    ProblemType.TEMPLATE_NOT_READY,
    ProblemType.IDEMPOTENCY_CONFLICT,
    ProblemType.QUOTA_EXCEEDED,
    ProblemType.NO_CAPACITY
  })
  public Response create(
      @Parameter(hidden = true) @Auth Caller caller,
      @Parameter(description = "Makes a repetition harmless") @HeaderParam("Idempotency-Key")
          String idempotencyKey,
      @Parameter(description = "wait=N: answer when it runs, at the latest after N seconds")
          @HeaderParam("Prefer")
          List<String> prefer,
      @Context UriInfo uri,
      @Context HttpServletResponse http,
      @Parameter(hidden = true) InputStream body) {
    Body<CreateRequest> request = bodies.read(body, CreateRequest.class);
    CreateChecks.Checked checked = CreateChecks.check(request.value(), catalog);
    Optional<Duration> wait = Prefer.waiting(prefer);
    return idempotency.answer(
        Calls.repeatable(caller, idempotencyKey, uri, request),
        () -> {
          CreateChecks.Resolved resolved =
              CreateChecks.resolve(
                  checked, caller.orgId(), request.value().template(), catalog, templates);
          rate.take(caller.orgId(), http);
          return resolved;
        },
        (origin, resolved) -> {
          Answer<Sandbox> answer =
              sandboxes.create(origin, resolved.spec(), resolved.env(), wait.orElse(Duration.ZERO));
          if (answer instanceof Answer.Refused<Sandbox> refused
              && refused.code().equals(Quotas.EXCEEDED)) {
            CreateRate.noRoom(http);
          }
          return Answer.carry(answer, sandbox -> created(sandbox, wait));
        });
  }

  private static Reply created(Sandbox sandbox, Optional<Duration> wait) {
    Map<String, String> headers = new HashMap<>(Prefer.applied(wait));
    headers.put(HttpHeaders.LOCATION, "/v1/sandboxes/" + sandbox.id());
    return new Reply(201, headers, SandboxView.of(sandbox));
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Operation(operationId = "listSandboxes", summary = "List sandboxes, newest first")
  @ApiResponse(
      responseCode = "200",
      description = "A page of them",
      content = @Content(schema = @Schema(implementation = SandboxPage.class)))
  public SandboxPage list(
      @Parameter(hidden = true) @Auth Caller caller,
      @Parameter(description = "Any of these; without it, all that are not destroyed")
          @QueryParam("status")
          List<String> status,
      @Parameter(description = "By name or id") @QueryParam("template") String template,
      @Parameter(description = "1 to 1000, 100 without it") @QueryParam("limit") String limit,
      @Parameter(description = "next_cursor of the page before") @QueryParam("cursor")
          String cursor,
      @Context UriInfo uri) {
    SandboxStore.Listing listing =
        ListQuery.parse(caller.orgId(), status, template, limit, cursor, uri.getQueryParameters());
    List<Sandbox> found = sandboxes.list(listing);
    boolean more = found.size() > listing.limit();
    List<Sandbox> page = more ? found.subList(0, listing.limit()) : found;
    return new SandboxPage(
        page.stream().map(SandboxView::of).toList(),
        more ? ListQuery.cursor(page.getLast()) : null);
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{id}")
  @Operation(operationId = "getSandbox", summary = "Read a sandbox; destroyed ones too")
  @ApiResponse(
      responseCode = "200",
      description = "The sandbox",
      content = @Content(schema = @Schema(implementation = SandboxView.class)))
  @Documented({ProblemType.FOREIGN_ORGANIZATION, ProblemType.SANDBOX_NOT_FOUND})
  public SandboxView get(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = "As it was at this time, folded from its events") @QueryParam("at")
          String at) {
    Violations violations = new Violations();
    Instant time = HistoryQuery.instant("at", at, violations);
    violations.throwIfAny();
    return SandboxView.of(
        Answers.value(
            time == null
                ? sandboxes.get(caller.orgId(), id)
                : sandboxes.get(caller.orgId(), id, time)));
  }

  @DELETE
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}")
  @Operation(operationId = "destroySandbox", summary = "Destroy a sandbox, whatever it is doing")
  @ApiResponse(responseCode = "204", description = "Destroyed, now or before")
  @Documented({ProblemType.FOREIGN_ORGANIZATION, ProblemType.SANDBOX_NOT_FOUND})
  public Response destroy(
      @Parameter(hidden = true) @Auth Caller caller, @PathParam("id") String id) {
    return Answers.response(
        Answer.carry(
            sandboxes.destroy(Calls.plain(caller), id), gone -> new Reply(204, Map.of(), null)));
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}/keepalive")
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(operationId = "keepSandboxAlive", summary = "Put an ephemeral sandbox's end off")
  @RequestBody(content = @Content(schema = @Schema(implementation = KeepAliveRequest.class)))
  @ApiResponse(
      responseCode = "200",
      description = "The sandbox with its new end",
      content = @Content(schema = @Schema(implementation = SandboxView.class)))
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.NOT_EPHEMERAL,
    ProblemType.NOT_RUNNING,
    ProblemType.IDEMPOTENCY_CONFLICT
  })
  public Response keepAlive(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<KeepAliveRequest> request = bodies.readOptional(body, KeepAliveRequest.class);
    Optional<Duration> timeout = request.value().check();
    return idempotency.answer(
        Calls.repeatable(caller, idempotencyKey, uri, request),
        () -> id,
        (origin, _) ->
            Answer.carry(
                sandboxes.keepAlive(origin, id, timeout.orElse(null)),
                sandbox -> Reply.ok(SandboxView.of(sandbox))));
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}/suspend")
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "suspendSandbox",
      summary = "Put a persistent sandbox to sleep",
      description =
          "Its processes stand still and keep their memory; later, or when its node wants the"
              + " memory back, they are ended and its files kept. The sandbox counts as suspended as"
              + " soon as that is decided. Done also for one that sleeps already. What runs in it,"
              + " and a transfer, holds it off.")
  @RequestBody(content = @Content(schema = @Schema(implementation = NoFields.class)))
  @ApiResponse(
      responseCode = "200",
      description = "The sandbox, suspended",
      content = @Content(schema = @Schema(implementation = SandboxView.class)))
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.NOT_PERSISTENT,
    ProblemType.NOT_RUNNING,
    ProblemType.EXECUTION_IN_FLIGHT,
    ProblemType.IDEMPOTENCY_CONFLICT
  })
  public Response suspend(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<NoFields> request = bodies.readOptional(body, NoFields.class);
    return idempotency.answer(
        Calls.repeatable(caller, idempotencyKey, uri, request),
        () -> id,
        (origin, _) ->
            Answer.carry(
                sandboxes.suspend(origin, id), sandbox -> Reply.ok(SandboxView.of(sandbox))));
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}/wake")
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "wakeSandbox",
      summary = "Wake a persistent sandbox",
      description =
          "Of one that runs, it is activity: its idle clock begins anew. Executing, uploading,"
              + " downloading and listing files wake a sandbox by themselves.")
  @RequestBody(content = @Content(schema = @Schema(implementation = NoFields.class)))
  @ApiResponse(
      responseCode = "200",
      description = "The sandbox: it runs, or is about to",
      content = @Content(schema = @Schema(implementation = SandboxView.class)))
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.CANNOT_WAKE,
    ProblemType.IDEMPOTENCY_CONFLICT
  })
  public Response wake(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Parameter(
              description =
                  "wait=N: answer when it runs or could not be woken, at the latest after N"
                      + " seconds")
          @HeaderParam("Prefer")
          List<String> prefer,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<NoFields> request = bodies.readOptional(body, NoFields.class);
    Optional<Duration> wait = Prefer.waiting(prefer);
    return idempotency.answer(
        Calls.repeatable(caller, idempotencyKey, uri, request),
        () -> id,
        (origin, _) ->
            Answer.carry(
                sandboxes.wake(origin, id, wait.orElse(Duration.ZERO)),
                sandbox -> new Reply(200, Prefer.applied(wait), SandboxView.of(sandbox))));
  }

  @PUT
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{id}/egress")
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "changeSandboxEgress",
      summary = "Replace a sandbox's network policy",
      description =
          "Answers when the change is decided and in the history. The sandbox's node has it in force"
              + " moments later: connections that the new policy forbids are cut, the others live"
              + " on. A suspended sandbox wakes under the new policy.")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = EgressRequest.class)))
  @ApiResponse(
      responseCode = "200",
      description = "The sandbox with its new policy",
      content = @Content(schema = @Schema(implementation = SandboxView.class)))
  @Documented({
    ProblemType.FOREIGN_ORGANIZATION,
    ProblemType.SANDBOX_NOT_FOUND,
    ProblemType.NOT_RUNNING
  })
  public Response changeEgress(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(hidden = true) InputStream body) {
    Violations violations = new Violations();
    EgressPolicy egress = bodies.read(body, EgressRequest.class).value().check("", violations);
    violations.throwIfAny();
    return Answers.response(
        Answer.carry(
            sandboxes.changeEgress(Calls.plain(caller), id, egress),
            sandbox -> Reply.ok(SandboxView.of(sandbox))));
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{id}/events")
  @Operation(operationId = "getSandboxEvents", summary = "Read a sandbox's history, oldest first")
  @ApiResponse(
      responseCode = "200",
      description = "What happened",
      content = @Content(schema = @Schema(implementation = EventView.Page.class)))
  @Documented({ProblemType.FOREIGN_ORGANIZATION, ProblemType.SANDBOX_NOT_FOUND})
  public EventView.Page events(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("id") String id,
      @Parameter(description = "Only what has a higher version")
          @QueryParam("after")
          @DefaultValue("0")
          String after,
      @Parameter(description = "1 to 1000, 100 without it") @QueryParam("limit") String limit) {
    long from = ListQuery.number("after", after, 0, Long.MAX_VALUE);
    int most = ListQuery.limit(limit);
    return new EventView.Page(
        Answers.value(sandboxes.history(caller.orgId(), id, from, most)).stream()
            .map(EventView::of)
            .toList());
  }
}
