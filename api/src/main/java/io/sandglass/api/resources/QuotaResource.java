package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Accounts;
import io.sandglass.api.control.Quotas;
import io.sandglass.api.domain.Quota;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Administrator;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
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
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.io.InputStream;
import java.util.Optional;

/** How much an organization may have, for the administrator. */
@Path("/v1/admin/organizations/{id}/quota")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Administration")
public final class QuotaResource {
  private static final long MOST = 1_000_000_000;

  private final Accounts accounts;
  private final Quotas quotas;
  private final JsonBodies bodies;

  public QuotaResource(Accounts accounts, Quotas quotas, JsonBodies bodies) {
    this.accounts = accounts;
    this.quotas = quotas;
    this.bodies = bodies;
  }

  /** The body that sets a quota; what is left out is the installation's default. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  record QuotaRequest(
      @Schema(description = "Sandboxes that have not ended, suspended ones too", example = "100")
          Long liveSandboxes,
      @Schema(description = "Thousandths of a CPU of all of them", example = "100000")
          Long cpuMillis,
      @Schema(description = "In MiB, of all of them", example = "51200") Long memoryMb,
      @Schema(description = "On each instance of the API; at least 1", example = "10")
          Integer createsPerSecond) {

    Quota.Wish check() {
      Violations violations = new Violations();
      check("/live_sandboxes", liveSandboxes, 0, violations);
      check("/cpu_millis", cpuMillis, 0, violations);
      check("/memory_mb", memoryMb, 0, violations);
      check(
          "/creates_per_second",
          createsPerSecond == null ? null : createsPerSecond.longValue(),
          1,
          violations);
      violations.throwIfAny();
      return new Quota.Wish(liveSandboxes, cpuMillis, memoryMb, createsPerSecond);
    }

    private static void check(String pointer, Long number, long least, Violations violations) {
      if (number != null && (number < least || number > MOST)) {
        violations.add(pointer, "Expected a number from " + least + " to " + MOST + ".");
      }
    }
  }

  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "QuotaUse")
  record UseView(long liveSandboxes, long cpuMillis, long memoryMb) {}

  /** A quota as it holds, and what is used of it. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "Quota")
  record QuotaView(
      long liveSandboxes, long cpuMillis, long memoryMb, int createsPerSecond, UseView used) {

    static QuotaView of(Quota quota, Quota.Use use) {
      return new QuotaView(
          quota.liveSandboxes(),
          quota.cpuMillis(),
          quota.memoryMb(),
          quota.createsPerSecond(),
          new UseView(use.liveSandboxes(), use.cpuMillis(), use.memoryBytes() >> 20));
    }
  }

  @GET
  @Requires(Scope.ADMIN)
  @Operation(operationId = "getQuota", summary = "Read an organization's quota and its use")
  @ApiResponse(
      responseCode = "200",
      description = "The quota",
      content = @Content(schema = @Schema(implementation = QuotaView.class)))
  @Documented(ProblemType.ORGANIZATION_NOT_FOUND)
  public QuotaView get(
      @Parameter(hidden = true) @Auth Administrator admin, @PathParam("id") String id) {
    return view(known(id));
  }

  @PUT
  @Requires(Scope.ADMIN)
  @Consumes(MediaType.APPLICATION_JSON)
  @Operation(
      operationId = "setQuota",
      summary = "Replace an organization's quota",
      description =
          "What is left out is the installation's default. Sandboxes that are there stay, also when"
              + " the new quota has no room for them.")
  @RequestBody(
      required = true,
      content = @Content(schema = @Schema(implementation = QuotaRequest.class)))
  @ApiResponse(
      responseCode = "200",
      description = "The quota as it holds now",
      content = @Content(schema = @Schema(implementation = QuotaView.class)))
  @Documented(ProblemType.ORGANIZATION_NOT_FOUND)
  public QuotaView set(
      @Parameter(hidden = true) @Auth Administrator admin,
      @PathParam("id") String id,
      @Parameter(hidden = true) InputStream body) {
    Quota.Wish wish = bodies.read(body, QuotaRequest.class).value().check();
    String orgId = known(id);
    quotas.set(orgId, wish);
    return view(orgId);
  }

  private QuotaView view(String orgId) {
    return QuotaView.of(quotas.of(orgId), quotas.use(orgId));
  }

  private String known(String id) {
    return Optional.of(id)
        .filter(Checks::clean)
        .flatMap(accounts::organization)
        .map(AccountStore.Organization::id)
        .orElseThrow(
            () ->
                new ProblemException(
                    ProblemType.ORGANIZATION_NOT_FOUND, "There is no such organization."));
  }
}
