package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Catalog;
import io.sandglass.api.domain.Size;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;

/** What sandboxes can be made of. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Catalog")
public final class CatalogResource {
  private final Catalog catalog;

  public CatalogResource(Catalog catalog) {
    this.catalog = catalog;
  }

  /** A template, as clients see it. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @Schema(name = "Template")
  record TemplateView(
      String id,
      String name,
      String image,
      @Schema(
              description = "ready when some node has its image",
              allowableValues = {"pending", "building", "ready", "failed"})
          String state,
      boolean builtIn) {

    static TemplateView of(Catalog.Listed listed) {
      return new TemplateView(
          listed.template().id(),
          listed.template().name(),
          listed.template().image(),
          listed.ready() ? "ready" : "pending",
          listed.builtIn());
    }
  }

  record TemplateList(List<TemplateView> templates) {}

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
  @Path("/templates")
  @Operation(operationId = "listTemplates", summary = "List the templates")
  @ApiResponse(
      responseCode = "200",
      description = "All of them",
      content = @Content(schema = @Schema(implementation = TemplateList.class)))
  public TemplateList templates(@Parameter(hidden = true) @Auth Caller caller) {
    return new TemplateList(catalog.templates().stream().map(TemplateView::of).toList());
  }

  @GET
  @Path("/templates/{name: .+}")
  @Operation(
      operationId = "getTemplate",
      summary = "Read a template, by name, id or image reference")
  @ApiResponse(
      responseCode = "200",
      description = "The template",
      content = @Content(schema = @Schema(implementation = TemplateView.class)))
  @Documented(ProblemType.TEMPLATE_NOT_FOUND)
  public TemplateView template(
      @Parameter(hidden = true) @Auth Caller caller, @PathParam("name") String name) {
    return catalog
        .template(name)
        .map(TemplateView::of)
        .orElseThrow(
            () ->
                new ProblemException(
                    ProblemType.TEMPLATE_NOT_FOUND, "There is no template " + name + "."));
  }

  @GET
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
