package io.sandglass.api.resources;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.control.Catalog;
import io.sandglass.api.domain.InstantText;
import io.sandglass.api.domain.TemplateDefinition;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import java.util.Locale;

/** A template, as clients see it. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Template")
record TemplateView(
    String id,
    String name,
    String image,
    @Schema(
            description =
                "ready when some node has its image; pending while no node has or builds it",
            allowableValues = {"pending", "building", "ready", "failed"})
        String state,
    @Schema(description = "Why it is failed") String buildError,
    boolean builtIn,
    String dockerfile,
    String description,
    @Schema(description = "The names of the environment's defaults") List<String> env,
    EgressView egress,
    @Schema(description = "How many containers each node keeps started for it") Integer warm,
    @Schema(format = "date-time") String createdAt) {

  record TemplateList(List<TemplateView> templates) {}

  static TemplateView of(Catalog.Listed listed) {
    return switch (listed.source()) {
      case Catalog.Source.BuiltIn _ -> plain(listed, true);
      case Catalog.Source.Image _ -> plain(listed, false);
      case Catalog.Source.Defined(TemplateDefinition definition) ->
          new TemplateView(
              definition.id(),
              definition.name(),
              definition.image(),
              state(listed),
              listed.buildError().orElse(null),
              false,
              definition.dockerfile().orElse(null),
              definition.description(),
              definition.env().names(),
              definition.egress().map(EgressView::of).orElse(null),
              definition.warm(),
              InstantText.format(definition.createdAt()));
    };
  }

  private static TemplateView plain(Catalog.Listed listed, boolean builtIn) {
    return new TemplateView(
        listed.template().id(),
        listed.template().name(),
        listed.template().image(),
        state(listed),
        null,
        builtIn,
        null,
        null,
        null,
        null,
        null,
        null);
  }

  private static String state(Catalog.Listed listed) {
    return listed.state().name().toLowerCase(Locale.ROOT);
  }
}
