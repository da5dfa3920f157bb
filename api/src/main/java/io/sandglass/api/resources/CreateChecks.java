package io.sandglass.api.resources;

import io.sandglass.api.control.Catalog;
import io.sandglass.api.control.Templates;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.Mode;
import io.sandglass.api.domain.SandboxSpec;
import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.TemplateDefinition;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What makes a create valid, and the defaults of what it leaves out. */
final class CreateChecks {
  private static final String DEFAULT_SIZE = "shared-cpu-1x";
  private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(5);
  private static final Duration LONGEST_TIMEOUT = Duration.ofHours(24);
  private static final Duration DEFAULT_IDLE_TIMEOUT = Duration.ofMinutes(10);
  private static final Duration LONGEST_IDLE_TIMEOUT = Duration.ofDays(30);
  private static final int LONGEST_TEMPLATE = 255;

  /** Everything but the template. */
  record Checked(
      Mode mode,
      Size size,
      Duration timeout,
      Duration idleTimeout,
      Optional<EgressPolicy> egress,
      Map<String, String> env,
      Map<String, String> metadata) {

    @Override
    public String toString() {
      return "Checked[" + mode + "]";
    }
  }

  /**
   * What is to be created, the template's defaults included.
   *
   * @param env in plain
   */
  record Resolved(SandboxSpec spec, Map<String, String> env) {
    @Override
    public String toString() {
      return "Resolved[" + spec + "]";
    }
  }

  private CreateChecks() {}

  static Checked check(CreateRequest request, Catalog catalog) {
    Violations violations = new Violations();
    if (request.template() == null || request.template().isBlank()) {
      violations.add("/template", "Expected a template.");
    } else if (request.template().length() > LONGEST_TEMPLATE) {
      violations.add("/template", "Expected up to " + LONGEST_TEMPLATE + " characters.");
    }
    Optional<Mode> mode =
        request.mode() == null ? Optional.of(Mode.EPHEMERAL) : Mode.parse(request.mode());
    if (mode.isEmpty()) {
      violations.add("/mode", "Expected ephemeral or persistent.");
    }
    Optional<Size> size = catalog.size(request.size() == null ? DEFAULT_SIZE : request.size());
    if (size.isEmpty()) {
      violations.add("/size", "Expected a size that GET /v1/sizes lists.");
    }
    Duration timeout = null;
    Duration idleTimeout = null;
    if (mode.equals(Optional.of(Mode.EPHEMERAL))) {
      timeout =
          Checks.duration(
                  "/timeout", request.timeout(), DEFAULT_TIMEOUT, LONGEST_TIMEOUT, violations)
              .orElse(null);
      refuse("/idle_timeout", request.idleTimeout(), "persistent", violations);
    }
    if (mode.equals(Optional.of(Mode.PERSISTENT))) {
      idleTimeout =
          Checks.duration(
                  "/idle_timeout",
                  request.idleTimeout(),
                  DEFAULT_IDLE_TIMEOUT,
                  LONGEST_IDLE_TIMEOUT,
                  violations)
              .orElse(null);
      refuse("/timeout", request.timeout(), "ephemeral", violations);
    }
    Optional<EgressPolicy> egress =
        Optional.ofNullable(request.egress()).map(policy -> policy.check("/egress", violations));
    Map<String, String> env = Checks.env("/env", request.env(), violations);
    Map<String, String> metadata = Checks.metadata("/metadata", request.metadata(), violations);
    violations.throwIfAny();
    return new Checked(
        mode.orElseThrow(), size.orElseThrow(), timeout, idleTimeout, egress, env, metadata);
  }

  /** Finds the template, which depends on the nodes and so can differ from one try to the next. */
  static Resolved resolve(
      Checked checked, String orgId, String template, Catalog catalog, Templates templates) {
    Catalog.Listed listed =
        catalog
            .template(orgId, template)
            .orElseThrow(
                () ->
                    new ProblemException(
                        ProblemType.TEMPLATE_NOT_FOUND,
                        "There is no template "
                            + template
                            + ", and no ready node has such an image."));
    return switch (listed.source()) {
      case Catalog.Source.BuiltIn _, Catalog.Source.Image _ ->
          resolved(checked, listed, EgressPolicy.ALLOW_ALL, Map.of());
      case Catalog.Source.Defined(TemplateDefinition definition) -> {
        if (listed.state() != Catalog.State.READY) {
          throw new ProblemException(
              ProblemType.TEMPLATE_NOT_READY,
              "The template "
                  + template
                  + " is "
                  + listed.state().name().toLowerCase(Locale.ROOT)
                  + ".");
        }
        yield resolved(
            checked,
            listed,
            definition.egress().orElse(EgressPolicy.ALLOW_ALL),
            templates.env(definition));
      }
    };
  }

  private static Resolved resolved(
      Checked checked, Catalog.Listed listed, EgressPolicy egress, Map<String, String> defaults) {
    Map<String, String> env = new TreeMap<>(defaults);
    env.putAll(checked.env());
    Violations violations = new Violations();
    var _ = Checks.env("/env", env, violations);
    violations.throwIfAny();
    return new Resolved(
        new SandboxSpec(
            listed.template(),
            checked.mode(),
            checked.size(),
            checked.egress().orElse(egress),
            checked.timeout(),
            checked.idleTimeout(),
            SealedEnv.NONE,
            checked.metadata()),
        env);
  }

  private static void refuse(String pointer, String value, String mode, Violations violations) {
    if (value != null) {
      violations.add(pointer, "Expected it with mode " + mode + " only.");
    }
  }
}
