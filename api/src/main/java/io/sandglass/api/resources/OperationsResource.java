package io.sandglass.api.resources;

import io.sandglass.api.control.Readiness;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/** For those who run the API: alive, ready, which version. */
@Path("/")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Operations")
public final class OperationsResource {
  private final Readiness readiness;
  private final String version;

  public OperationsResource(Readiness readiness, String version) {
    this.readiness = readiness;
    this.version = version;
  }

  /** Always the same: that it is answered at all is the news. */
  @Schema(name = "Health")
  record HealthView(@Schema(example = "ok") String status) {}

  @Schema(name = "Version")
  record VersionView(@Schema(example = "sandglass") String name, String version) {}

  @GET
  @Path("/healthz")
  @Operation(operationId = "isAlive", summary = "Whether the process answers")
  @ApiResponse(
      responseCode = "200",
      description = "It does",
      content = @Content(schema = @Schema(implementation = HealthView.class)))
  public HealthView healthz() {
    return new HealthView("ok");
  }

  @GET
  @Path("/readyz")
  @Operation(operationId = "isReady", summary = "Whether sandboxes can be created")
  @ApiResponse(
      responseCode = "200",
      description = "They can",
      content = @Content(schema = @Schema(implementation = HealthView.class)))
  @Documented(ProblemType.NOT_READY)
  public HealthView readyz() {
    List<String> missing = readiness.missing();
    if (!missing.isEmpty()) {
      throw new ProblemException(
          ProblemType.NOT_READY, "Missing: " + String.join("; ", missing) + ".");
    }
    return new HealthView("ready");
  }

  @GET
  @Path("/version")
  @Operation(operationId = "getVersion", summary = "Which version this is")
  @ApiResponse(
      responseCode = "200",
      description = "The version",
      content = @Content(schema = @Schema(implementation = VersionView.class)))
  public VersionView version() {
    return new VersionView("sandglass", version);
  }
}
