package io.sandglass.api.resources;

import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Answer;
import io.sandglass.api.control.Catalog;
import io.sandglass.api.control.Nodes;
import io.sandglass.api.control.Templates;
import io.sandglass.api.dataplane.BuildLogs;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.domain.TemplateBuild;
import io.sandglass.api.domain.TemplateDefinition;
import io.sandglass.api.http.Answers;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.JsonBodies.Body;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Reply;
import io.sandglass.api.http.Requires;
import io.sandglass.api.resources.TemplateView.TemplateList;
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
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.Map;
import java.util.Optional;

/** What sandboxes start from: built in, or defined by the organization. */
@Path("/v1/templates")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Catalog")
public final class TemplatesResource {
  private static final int BUFFER = 8 * 1024;

  private final Templates templates;
  private final Catalog catalog;
  private final Nodes nodes;
  private final BuildLogs logs;
  private final JsonBodies bodies;
  private final Idempotency idempotency;

  public TemplatesResource(
      Templates templates,
      Catalog catalog,
      Nodes nodes,
      BuildLogs logs,
      JsonBodies bodies,
      Idempotency idempotency) {
    this.templates = templates;
    this.catalog = catalog;
    this.nodes = nodes;
    this.logs = logs;
    this.bodies = bodies;
    this.idempotency = idempotency;
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Operation(
      operationId = "listTemplates",
      summary = "List the templates: built-in ones, then the organization's")
  @ApiResponse(
      responseCode = "200",
      description = "All of them",
      content = @Content(schema = @Schema(implementation = TemplateList.class)))
  public TemplateList list(@Parameter(hidden = true) @Auth Caller caller) {
    return new TemplateList(
        catalog.templates(caller.orgId()).stream().map(TemplateView::of).toList());
  }

  @POST
  @Requires(Scope.SANDBOXES_WRITE)
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "createTemplate",
      summary = "Define a template from an image or a Dockerfile")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = TemplateRequest.class)))
  @ApiResponse(
      responseCode = "201",
      description = "Defined; nodes build it soon",
      content = @Content(schema = @Schema(implementation = TemplateView.class)))
  @Documented({ProblemType.TEMPLATE_EXISTS, ProblemType.IDEMPOTENCY_CONFLICT})
  public Response create(
      @Parameter(hidden = true) @Auth Caller caller,
      @Parameter(description = "Makes a repetition harmless") @HeaderParam("Idempotency-Key")
          String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<TemplateRequest> request = bodies.read(body, TemplateRequest.class);
    Templates.Draft draft = request.value().check();
    return idempotency.answer(
        Calls.repeatable(caller, idempotencyKey, uri, request),
        () -> draft,
        (origin, checked) ->
            Answer.carry(
                templates.define(origin, checked),
                listed ->
                    new Reply(
                        201,
                        Map.of(HttpHeaders.LOCATION, "/v1/templates/" + listed.template().id()),
                        TemplateView.of(listed))));
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{name: .+}")
  @Operation(
      operationId = "getTemplate",
      summary = "Read a template, by name, id or image reference")
  @ApiResponse(
      responseCode = "200",
      description = "The template",
      content = @Content(schema = @Schema(implementation = TemplateView.class)))
  @Documented(ProblemType.TEMPLATE_NOT_FOUND)
  public TemplateView get(
      @Parameter(hidden = true) @Auth Caller caller, @PathParam("name") String name) {
    return TemplateView.of(find(caller, name));
  }

  @DELETE
  @Requires(Scope.SANDBOXES_WRITE)
  @Path("/{name}")
  @Operation(
      operationId = "deleteTemplate",
      summary = "Delete a template, by name or id; its sandboxes live on")
  @ApiResponse(responseCode = "204", description = "Deleted")
  @Documented({ProblemType.TEMPLATE_NOT_FOUND, ProblemType.TEMPLATE_BUILT_IN})
  public Response delete(
      @Parameter(hidden = true) @Auth Caller caller, @PathParam("name") String name) {
    return Answers.response(
        Answer.carry(
            templates.delete(Calls.plain(caller), name), gone -> new Reply(204, Map.of(), null)));
  }

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/{name}/logs")
  @Produces(MediaType.TEXT_PLAIN)
  @Operation(
      operationId = "getTemplateLogs",
      summary = "Read the newest build's log, as it comes",
      description = "Streamed from the node that builds or built it; the first MiB is kept.")
  @ApiResponse(
      responseCode = "200",
      description = "The log",
      content = @Content(mediaType = MediaType.TEXT_PLAIN, schema = @Schema(type = "string")))
  @Documented({
    ProblemType.TEMPLATE_NOT_FOUND,
    ProblemType.BUILD_LOG_NOT_FOUND,
    ProblemType.NODE_UNAVAILABLE
  })
  public Response logs(
      @Parameter(hidden = true) @Auth Caller caller,
      @PathParam("name") String name,
      @Parameter(description = "Whether to go on until the build ends; true without it")
          @QueryParam("follow")
          String follow) {
    boolean following = follow == null || follow.equals("true");
    if (!following && !follow.equals("false")) {
      throw ProblemException.invalid("follow", "Expected true or false.");
    }
    TemplateBuild build =
        definition(find(caller, name))
            .flatMap(templates::newestBuild)
            .orElseThrow(() -> noLog(name));
    URI node =
        nodes
            .dataPlane(build.nodeId())
            .orElseThrow(() -> unreachable("The node that built it is out of reach."));
    InputStream log;
    try {
      log = logs.open(node, build.revision(), following).orElseThrow(() -> noLog(name));
    } catch (IOException e) {
      throw unreachable("The node that built it did not answer.");
    }
    StreamingOutput output =
        out -> {
          try (log) {
            byte[] buffer = new byte[BUFFER];
            for (int n = log.read(buffer); n >= 0; n = log.read(buffer)) {
              out.write(buffer, 0, n);
              out.flush();
            }
          }
        };
    return Response.ok(output).type("text/plain;charset=utf-8").build();
  }

  private Catalog.Listed find(Caller caller, String name) {
    return catalog
        .template(caller.orgId(), name)
        .orElseThrow(
            () ->
                new ProblemException(
                    ProblemType.TEMPLATE_NOT_FOUND, "There is no template " + name + "."));
  }

  private static Optional<TemplateDefinition> definition(Catalog.Listed listed) {
    return listed.source() instanceof Catalog.Source.Defined(TemplateDefinition definition)
        ? Optional.of(definition)
        : Optional.empty();
  }

  private static ProblemException noLog(String name) {
    return new ProblemException(
        ProblemType.BUILD_LOG_NOT_FOUND, "There is no build log of " + name + ".");
  }

  private static ProblemException unreachable(String detail) {
    return new ProblemException(ProblemType.NODE_UNAVAILABLE, detail);
  }
}
