package io.sandglass.api.resources;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sandglass.api.control.Templates;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.TemplateDefinition;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The body of a template's definition, as sent. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(description = "What template to define")
record TemplateRequest(
    @Schema(
            requiredMode = Schema.RequiredMode.REQUIRED,
            description = "Lower-case letters, digits, dots and dashes; unique in the organization",
            example = "pandas")
        String name,
    @Schema(
            description = "Reference of an image that nodes have",
            example = "sandglass/python:0.1.0")
        String image,
    @Schema(
            description =
                "Instead of an image: how nodes build one, with FROM, ARG, ENV, RUN, WORKDIR, USER,"
                    + " SHELL and COPY --from. There is no build context, so ADD and other COPY are"
                    + " refused; nothing is fetched, so FROM names an image that the node has. RUN"
                    + " steps have no network unless the operator gives them one. What says how a"
                    + " container starts, such as CMD, has no effect. It is stored as it is: put no"
                    + " secret into it.",
            example = "FROM sandglass/python:0.1.0\nRUN echo hello > /greeting")
        String dockerfile,
    String description,
    @Schema(
            description =
                "Defaults of the environment; a sandbox's own variables win. Stored sealed")
        Map<String, String> env,
    EgressRequest egress,
    @Schema(
            description =
                "How many containers each node keeps started for it. The nodes of this version keep"
                    + " none yet",
            minimum = "0",
            maximum = "100",
            defaultValue = "0")
        Integer warm) {
  // No underscore: a name is never taken for an id.
  private static final Pattern NAME = Pattern.compile("[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?");
  private static final Pattern IMAGE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}");
  private static final int LARGEST_DOCKERFILE = 64 * 1024;
  private static final int LONGEST_DESCRIPTION = 1_000;
  private static final int MOST_WARM = 100;

  Templates.Draft check() {
    Violations violations = new Violations();
    if (name == null || !NAME.matcher(name).matches()) {
      violations.add(
          "/name", "Expected 1 to 63 lower-case letters, digits, dots and dashes, such as pandas.");
    }
    if ((image == null) == (dockerfile == null)) {
      violations.add("/image", "Expected either an image or a dockerfile.");
    }
    if (image != null && !IMAGE.matcher(image).matches()) {
      violations.add("/image", "Expected an image reference such as sandglass/python:0.1.0.");
    } else if (image != null && TemplateDefinition.isBuilt(image)) {
      violations.add("/image", "Expected an image that was not built for a template.");
    }
    if (dockerfile != null
        && (dockerfile.isBlank()
            || Checks.utf8(dockerfile) > LARGEST_DOCKERFILE
            || !Checks.clean(dockerfile))) {
      violations.add("/dockerfile", "Expected text of up to " + LARGEST_DOCKERFILE + " bytes.");
    }
    if (description != null
        && (description.length() > LONGEST_DESCRIPTION || !Checks.clean(description))) {
      violations.add(
          "/description", "Expected text of up to " + LONGEST_DESCRIPTION + " characters.");
    }
    if (warm != null && (warm < 0 || warm > MOST_WARM)) {
      violations.add("/warm", "Expected a number from 0 to " + MOST_WARM + ".");
    }
    Map<String, String> variables = Checks.env("/env", env, violations);
    Optional<EgressPolicy> policy =
        Optional.ofNullable(egress).map(one -> one.check("/egress", violations));
    violations.throwIfAny();
    return new Templates.Draft(
        name,
        Optional.ofNullable(image),
        Optional.ofNullable(dockerfile),
        description == null ? "" : description,
        variables,
        policy,
        warm == null ? 0 : warm);
  }
}
