package io.sandglass.api.control;

import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.domain.EgressPolicy;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.TemplateBuild;
import io.sandglass.api.domain.TemplateDefinition;
import io.sandglass.api.secrets.EnvSealer;
import io.sandglass.api.store.TemplateStore;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Defining and deleting an organization's templates. */
public final class Templates {
  static final String EXISTS = "template_exists";
  static final String BUILT_IN = "template_built_in";
  static final String NOT_FOUND = "template_not_found";

  private final TemplateLog log;
  private final TemplateStore store;
  private final Catalog catalog;
  private final EnvSealer sealer;
  private final Ids ids;
  private final InstantSource clock;

  public Templates(
      TemplateLog log,
      TemplateStore store,
      Catalog catalog,
      EnvSealer sealer,
      Ids ids,
      InstantSource clock) {
    this.log = log;
    this.store = store;
    this.catalog = catalog;
    this.sealer = sealer;
    this.ids = ids;
    this.clock = clock;
  }

  /**
   * What is to be defined; either an image or a Dockerfile.
   *
   * @param env in plain; leaves this class sealed only
   */
  public record Draft(
      String name,
      Optional<String> image,
      Optional<String> dockerfile,
      String description,
      Map<String, String> env,
      Optional<EgressPolicy> egress,
      int warm) {

    /** Without what may be secret. */
    @Override
    public String toString() {
      return "Draft[" + name + "]";
    }
  }

  /** Defines a template; a name that is taken stays as it is. */
  public Answer<Catalog.Listed> define(Origin origin, Draft draft) {
    String id = TemplateDefinition.id(origin.orgId(), draft.name());
    if (catalog.isBuiltIn(draft.name())) {
      return exists(draft.name());
    }
    // The same for a repetition of this request, which so finds that it has happened.
    String revision = origin.id("tpr_", ids);
    Optional<TemplateDefinition> there = store.find(origin.orgId(), id);
    if (there.isEmpty()) {
      TemplateDefinition definition =
          new TemplateDefinition(
              id,
              origin.orgId(),
              draft.name(),
              revision,
              draft.image().orElseGet(() -> TemplateDefinition.builtImage(id, revision)),
              draft.dockerfile(),
              draft.description(),
              sealer.seal(revision, draft.env()),
              draft.egress(),
              draft.warm(),
              clock.instant().truncatedTo(ChronoUnit.MILLIS));
      there = store.define(definition, () -> log.define(definition, origin));
    }
    if (there.filter(one -> !one.revision().equals(revision)).isPresent()) {
      sealer.forget(revision);
      return exists(draft.name());
    }
    return catalog
        .template(origin.orgId(), id)
        .<Answer<Catalog.Listed>>map(Answer.Done::new)
        .orElseGet(() -> notFound(draft.name()));
  }

  /** Sandboxes that were made of it live on. */
  public Answer<TemplateDefinition> delete(Origin origin, String nameOrId) {
    if (catalog.isBuiltIn(nameOrId)) {
      return new Answer.Refused<>(
          BUILT_IN, "The template " + nameOrId + " is built in.", Aftermath.NOTHING);
    }
    Optional<TemplateDefinition> deleted =
        store
            .find(origin.orgId(), nameOrId)
            .flatMap(
                found -> store.delete(origin.orgId(), found.id(), () -> log.delete(found.id())));
    deleted.ifPresent(gone -> sealer.forget(gone.revision()));
    return deleted
        .<Answer<TemplateDefinition>>map(Answer.Done::new)
        .orElseGet(() -> notFound(nameOrId));
  }

  /** The defaults of the environment, in plain. */
  public Map<String, String> env(TemplateDefinition definition) {
    return sealer.open(definition.revision(), definition.env());
  }

  /** The newest build of what is defined now. */
  public Optional<TemplateBuild> newestBuild(TemplateDefinition definition) {
    List<TemplateBuild> builds = store.builds(definition);
    return builds.stream().findFirst();
  }

  private static <T> Answer<T> exists(String name) {
    return new Answer.Refused<>(
        EXISTS, "There is a template " + name + " already.", Aftermath.NOTHING);
  }

  private static <T> Answer<T> notFound(String name) {
    return new Answer.Refused<>(NOT_FOUND, "There is no template " + name + ".", Aftermath.NOTHING);
  }
}
