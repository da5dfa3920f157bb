package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.dropwizard.auth.Auth;
import io.sandglass.api.control.Catalog;
import io.sandglass.api.domain.Pool;
import io.sandglass.api.domain.Scope;
import io.sandglass.api.http.Administrator;
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
import java.util.stream.Stream;

/** The containers that nodes start ahead, for the administrator. */
@Path("/v1/admin/pools")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Administration")
public final class PoolsResource {
  private final Catalog catalog;

  public PoolsResource(Catalog catalog) {
    this.catalog = catalog;
  }

  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.ALWAYS)
  @Schema(name = "PoolTemplate")
  record TemplateView(
      String id,
      String name,
      @Schema(description = "Null for a built-in one", nullable = true) String organizationId) {}

  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  @JsonInclude(JsonInclude.Include.ALWAYS)
  @Schema(name = "Pool")
  record PoolView(
      String node,
      String image,
      @Schema(description = "That take from it: templates of one image share their containers")
          List<TemplateView> templates,
      @Schema(description = "How many the node is to keep ready") int wanted,
      int ready,
      @Schema(description = "Being made") int starting,
      @Schema(description = "Sandboxes that got one, since the node's executor started") long hits,
      @Schema(description = "Sandboxes that wanted one and found none ready, since then")
          long misses,
      @Schema(description = "hits among hits and misses; null before the first", nullable = true)
          Double hitRatio) {

    static PoolView of(Catalog.Pooled pooled) {
      Pool pool = pooled.pool();
      long asked = pool.hits() + pool.misses();
      return new PoolView(
          pool.nodeId(),
          pool.image(),
          Stream.concat(
                  pooled.builtIn().stream()
                      .map(template -> new TemplateView(template.id(), template.name(), null)),
                  pooled.defined().stream()
                      .map(
                          template ->
                              new TemplateView(template.id(), template.name(), template.orgId())))
              .toList(),
          pool.wanted(),
          pool.ready(),
          pool.starting(),
          pool.hits(),
          pool.misses(),
          asked == 0 ? null : (double) pool.hits() / asked);
    }
  }

  record PoolList(List<PoolView> pools) {}

  @GET
  @Requires(Scope.ADMIN)
  @Operation(
      operationId = "listPools",
      summary = "List the warm pools",
      description = "As the nodes' last heartbeats tell of them.")
  @ApiResponse(
      responseCode = "200",
      description = "Those of all ready nodes, by image and node",
      content = @Content(schema = @Schema(implementation = PoolList.class)))
  public PoolList pools(@Parameter(hidden = true) @Auth Administrator admin) {
    return new PoolList(catalog.pools().stream().map(PoolView::of).toList());
  }
}
