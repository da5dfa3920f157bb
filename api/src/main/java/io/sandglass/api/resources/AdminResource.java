package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Accounts;
import io.sandglass.api.control.Answer;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Administrator;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.JsonBodies.Body;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.sandglass.api.http.Reply;
import io.sandglass.api.http.Requires;
import io.sandglass.api.store.AccountStore;
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
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.InputStream;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Organizations and their keys, for the administrator. */
@Path("/v1/admin/organizations")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Administration")
public final class AdminResource {
  private static final int LONGEST_NAME = 200;

  private final Accounts accounts;
  private final JsonBodies bodies;
  private final Idempotency idempotency;
  private final InstantSource clock;

  public AdminResource(
      Accounts accounts, JsonBodies bodies, Idempotency idempotency, InstantSource clock) {
    this.accounts = accounts;
    this.bodies = bodies;
    this.idempotency = idempotency;
    this.clock = clock;
  }

  /** The body that names an organization. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record OrganizationRequest(
      @Schema(requiredMode = Schema.RequiredMode.REQUIRED, example = "acme") String name) {}

  /** The body that asks for a key. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record KeyRequest(
      @Schema(requiredMode = Schema.RequiredMode.REQUIRED, example = "ci") String name,
      @Schema(
              description =
                  "Some of sandboxes:read, sandboxes:write, usage:read and admin; without it, all"
                      + " but admin. With admin, the key manages the whole installation.",
              example = "[\"sandboxes:read\"]")
          List<String> scopes,
      @Schema(format = "date-time", description = "When it stops working; never without it")
          String expiresAt) {}

  /** An organization, as its administrator sees it. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "Organization")
  record OrganizationView(String id, String name, @Schema(format = "date-time") String createdAt) {

    static OrganizationView of(AccountStore.Organization organization) {
      return new OrganizationView(
          organization.id(), organization.name(), SandboxView.text(organization.createdAt()));
    }
  }

  record OrganizationList(List<OrganizationView> organizations) {}

  /** A key, as its administrator sees it. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "ApiKey")
  record KeyView(
      String id,
      @JsonInclude(JsonInclude.Include.NON_NULL)
          @Schema(description = "Shown once, when it is made")
          String key,
      String name,
      List<String> scopes,
      @Schema(format = "date-time") String createdAt,
      @Schema(format = "date-time", nullable = true) String expiresAt,
      @Schema(format = "date-time", nullable = true) String revokedAt,
      @Schema(format = "date-time", nullable = true, description = "To the minute")
          String lastUsedAt) {

    static KeyView of(AccountStore.StoredKey key, String token) {
      return new KeyView(
          key.id(),
          token,
          key.name(),
          key.scopes().stream().sorted().map(Scope::text).toList(),
          SandboxView.text(key.createdAt()),
          SandboxView.text(key.expiresAt()),
          SandboxView.text(key.revokedAt()),
          SandboxView.text(key.lastUsedAt()));
    }

    @Override
    public String toString() {
      return id;
    }
  }

  record KeyList(List<KeyView> keys) {}

  @POST
  @Requires(Scope.ADMIN)
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(operationId = "createOrganization", summary = "Create an organization")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = OrganizationRequest.class)))
  @ApiResponse(
      responseCode = "201",
      description = "Created",
      content = @Content(schema = @Schema(implementation = OrganizationView.class)))
  @Documented({ProblemType.IDEMPOTENCY_CONFLICT, ProblemType.REQUEST_IN_DOUBT})
  public Response createOrganization(
      @Parameter(hidden = true) @Auth Administrator admin,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<OrganizationRequest> request = bodies.read(body, OrganizationRequest.class);
    String name = checkedName(request.value().name());
    return idempotency.answer(
        Calls.once(admin, idempotencyKey, uri, request),
        () -> name,
        (_, checked) -> {
          OrganizationView view = OrganizationView.of(accounts.createOrganization(checked));
          return new Answer.Done<>(
              new Reply(
                  201, Map.of(HttpHeaders.LOCATION, "/v1/admin/organizations/" + view.id()), view));
        });
  }

  @GET
  @Requires(Scope.ADMIN)
  @Operation(operationId = "listOrganizations", summary = "List the organizations")
  @ApiResponse(
      responseCode = "200",
      description = "All of them, oldest first",
      content = @Content(schema = @Schema(implementation = OrganizationList.class)))
  public OrganizationList organizations(@Parameter(hidden = true) @Auth Administrator admin) {
    return new OrganizationList(
        accounts.organizations().stream().map(OrganizationView::of).toList());
  }

  @GET
  @Requires(Scope.ADMIN)
  @Path("/{id}")
  @Operation(operationId = "getOrganization", summary = "Read an organization")
  @ApiResponse(
      responseCode = "200",
      description = "The organization",
      content = @Content(schema = @Schema(implementation = OrganizationView.class)))
  @Documented(ProblemType.ORGANIZATION_NOT_FOUND)
  public OrganizationView organization(
      @Parameter(hidden = true) @Auth Administrator admin, @PathParam("id") String id) {
    return OrganizationView.of(known(id));
  }

  @POST
  @Requires(Scope.ADMIN)
  @Path("/{id}/keys")
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(operationId = "createKey", summary = "Make an API key; its secret is shown once")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = KeyRequest.class)))
  @ApiResponse(
      responseCode = "201",
      description = "Made",
      content = @Content(schema = @Schema(implementation = KeyView.class)))
  @Documented({
    ProblemType.ORGANIZATION_NOT_FOUND,
    ProblemType.IDEMPOTENCY_CONFLICT,
    ProblemType.REQUEST_IN_DOUBT
  })
  public Response createKey(
      @Parameter(hidden = true) @Auth Administrator admin,
      @PathParam("id") String id,
      @HeaderParam("Idempotency-Key") String idempotencyKey,
      @Context UriInfo uri,
      @Parameter(hidden = true) InputStream body) {
    Body<KeyRequest> request = bodies.read(body, KeyRequest.class);
    String name = checkedName(request.value().name());
    Set<Scope> scopes = checkedScopes(request.value().scopes());
    Violations violations = new Violations();
    Instant expiresAt =
        HistoryQuery.instant("/expires_at", request.value().expiresAt(), violations);
    violations.throwIfAny();
    return idempotency.answer(
        Calls.once(admin, idempotencyKey, uri, request),
        () -> {
          if (expiresAt != null && !expiresAt.isAfter(clock.instant())) {
            throw ProblemException.invalid("/expires_at", "Expected a time that is to come.");
          }
          return known(id);
        },
        (_, organization) -> {
          Accounts.NewKey made = accounts.createKey(organization.id(), name, scopes, expiresAt);
          return new Answer.Done<>(
              new Reply(
                  201,
                  Map.of(
                      HttpHeaders.LOCATION,
                      "/v1/admin/organizations/" + id + "/keys/" + made.key().id(),
                      HttpHeaders.CACHE_CONTROL,
                      "no-store"),
                  KeyView.of(made.key(), made.token())));
        });
  }

  @GET
  @Requires(Scope.ADMIN)
  @Path("/{id}/keys")
  @Operation(operationId = "listKeys", summary = "List an organization's API keys")
  @ApiResponse(
      responseCode = "200",
      description = "All of them, oldest first, revoked ones too",
      content = @Content(schema = @Schema(implementation = KeyList.class)))
  @Documented(ProblemType.ORGANIZATION_NOT_FOUND)
  public KeyList keys(
      @Parameter(hidden = true) @Auth Administrator admin, @PathParam("id") String id) {
    return new KeyList(
        accounts.keys(known(id).id()).stream().map(key -> KeyView.of(key, null)).toList());
  }

  @DELETE
  @Requires(Scope.ADMIN)
  @Path("/{id}/keys/{key}")
  @Operation(operationId = "revokeKey", summary = "Revoke an API key; works within 5 seconds")
  @ApiResponse(responseCode = "204", description = "Revoked, now or before")
  @Documented({ProblemType.ORGANIZATION_NOT_FOUND, ProblemType.KEY_NOT_FOUND})
  public Response revoke(
      @Parameter(hidden = true) @Auth Administrator admin,
      @PathParam("id") String id,
      @PathParam("key") String key) {
    if (!Checks.clean(key) || !accounts.revoke(known(id).id(), key)) {
      throw new ProblemException(
          ProblemType.KEY_NOT_FOUND, "The organization has no such API key.");
    }
    return Response.noContent().build();
  }

  private AccountStore.Organization known(String id) {
    return Optional.of(id)
        .filter(Checks::clean)
        .flatMap(accounts::organization)
        .orElseThrow(
            () ->
                new ProblemException(
                    ProblemType.ORGANIZATION_NOT_FOUND, "There is no such organization."));
  }

  private static String checkedName(String name) {
    if (name == null || name.isBlank() || name.length() > LONGEST_NAME) {
      throw ProblemException.invalid(
          "/name", "Expected a name of up to " + LONGEST_NAME + " characters.");
    }
    return name;
  }

  private static Set<Scope> checkedScopes(List<String> names) {
    if (names == null) {
      return Scope.ofOrganization();
    }
    Set<Scope> scopes = EnumSet.noneOf(Scope.class);
    for (String name : names) {
      scopes.add(
          Optional.ofNullable(name).flatMap(Scope::parse).orElseThrow(AdminResource::noScope));
    }
    if (scopes.isEmpty()) {
      throw noScope();
    }
    return scopes;
  }

  private static ProblemException noScope() {
    return ProblemException.invalid(
        "/scopes",
        "Expected some of "
            + Stream.of(Scope.values()).map(Scope::text).collect(Collectors.joining(", "))
            + ".");
  }
}
