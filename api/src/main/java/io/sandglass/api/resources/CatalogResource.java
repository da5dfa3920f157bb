package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Catalog;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.domain.Size;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.Requires;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/** How large sandboxes can be. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Catalog")
public final class CatalogResource {
  private final Catalog catalog;

  public CatalogResource(Catalog catalog) {
    this.catalog = catalog;
  }

  /** A size, as clients see it. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "Size")
  record SizeView(
      @Schema(example = "shared-cpu-1x") String name,
      @Schema(description = "Thousandths of a CPU", example = "1000") int cpuMillis,
      @Schema(description = "In MiB", example = "256") long memoryMb) {

    static SizeView of(Size size) {
      return new SizeView(size.name(), size.cpuMillis(), size.memoryBytes() >> 20);
    }
  }

  record SizeList(List<SizeView> sizes) {}

  @GET
  @Requires(Scope.SANDBOXES_READ)
  @Path("/sizes")
  @Operation(operationId = "listSizes", summary = "List the sizes")
  @ApiResponse(
      responseCode = "200",
      description = "All of them, smallest first",
      content = @Content(schema = @Schema(implementation = SizeList.class)))
  public SizeList sizes(@Parameter(hidden = true) @Auth Caller caller) {
    return new SizeList(catalog.sizes().stream().map(SizeView::of).toList());
  }
}
