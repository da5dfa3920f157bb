package io.sandglass.api.control;

import io.sandglass.api.domain.Pool;
import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Template;
import io.sandglass.api.domain.TemplateBuild;
import io.sandglass.api.domain.TemplateDefinition;
import io.sandglass.api.store.TemplateStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What sandboxes can be made of: templates and sizes. */
public final class Catalog {

  /** What can be said of a template's image. */
  public enum State {
    /** No node has it, and none is building it. */
    PENDING,
    BUILDING,
    /** Some ready node has it. */
    READY,
    /** It can't be built. */
    FAILED
  }

  /** Where a template comes from. */
  public sealed interface Source {
    record BuiltIn() implements Source {}

    record Defined(TemplateDefinition definition) implements Source {}

    /** An image that is used by its reference. */
    record Image() implements Source {}
  }

  /**
   * A template as it is at the moment.
   *
   * @param buildError why it failed
   */
  public record Listed(
      Template template, Source source, State state, Optional<String> buildError) {}

  private final Map<String, String> builtIns;
  private final Map<String, Size> sizes;
  private final TemplateStore store;
  private final Nodes nodes;

  /**
   * @param builtIns image references by template name
   */
  public Catalog(Map<String, String> builtIns, List<Size> sizes, TemplateStore store, Nodes nodes) {
    this.builtIns = Collections.unmodifiableMap(new LinkedHashMap<>(builtIns));
    Map<String, Size> byName = new LinkedHashMap<>();
    sizes.forEach(size -> byName.put(size.name(), size));
    this.sizes = Collections.unmodifiableMap(byName);
    this.store = store;
    this.nodes = nodes;
  }

  /** Smallest first, as configured. */
  public List<Size> sizes() {
    return List.copyOf(sizes.values());
  }

  public Optional<Size> size(String name) {
    return Optional.ofNullable(sizes.get(name));
  }

  /** The built-in ones, then the organization's own by name. */
  public List<Listed> templates(String orgId) {
    Set<String> images = nodes.images();
    List<Listed> templates = new ArrayList<>(builtIns(images));
    store.list(orgId).forEach(definition -> templates.add(defined(definition, images)));
    return List.copyOf(templates);
  }

  /** By name or id; else an image that some ready node has, by its reference. */
  public Optional<Listed> template(String orgId, String nameOrId) {
    Set<String> images = nodes.images();
    return builtIns(images).stream()
        .filter(
            listed ->
                listed.template().name().equals(nameOrId)
                    || listed.template().id().equals(nameOrId))
        .findFirst()
        .or(() -> store.find(orgId, nameOrId).map(definition -> defined(definition, images)))
        .or(() -> image(nameOrId, images));
  }

  /**
   * A pool of a ready node.
   *
   * @param builtIn the built-in templates that start from its image
   * @param defined the organizations' templates that ask for it
   */
  public record Pooled(Pool pool, List<Template> builtIn, List<TemplateDefinition> defined) {}

  /** By image and node. */
  public List<Pooled> pools() {
    List<Listed> builtIn = builtIns(nodes.images());
    List<TemplateDefinition> defined = store.warm();
    return nodes.pools().stream()
        .map(
            pool -> {
              Set<String> image = Set.of(pool.image());
              return new Pooled(
                  pool,
                  builtIn.stream()
                      .map(Listed::template)
                      .filter(template -> has(image, template.image()).isPresent())
                      .toList(),
                  defined.stream()
                      .filter(template -> has(image, template.image()).isPresent())
                      .toList());
            })
        .toList();
  }

  /** Whether everybody has a template of this name or id. */
  boolean isBuiltIn(String nameOrId) {
    return builtIns.keySet().stream()
        .anyMatch(name -> name.equals(nameOrId) || builtInId(name).equals(nameOrId));
  }

  private List<Listed> builtIns(Set<String> images) {
    List<Listed> listed = new ArrayList<>();
    builtIns.forEach(
        (name, image) ->
            listed.add(
                new Listed(
                    new Template(builtInId(name), name, image),
                    new Source.BuiltIn(),
                    has(images, image).isPresent() ? State.READY : State.PENDING,
                    Optional.empty())));
    return listed;
  }

  private Listed defined(TemplateDefinition definition, Set<String> images) {
    Source source = new Source.Defined(definition);
    Optional<String> image = has(images, definition.image());
    if (image.isPresent()) {
      Template template = new Template(definition.id(), definition.name(), image.get());
      return new Listed(template, source, State.READY, Optional.empty());
    }
    List<TemplateBuild> builds = store.builds(definition);
    Optional<TemplateBuild> failed =
        builds.stream().filter(build -> build.state() == TemplateBuild.State.FAILED).findFirst();
    // A build that is done shows in the node's next heartbeat.
    boolean underWay =
        builds.stream().anyMatch(build -> build.state() != TemplateBuild.State.FAILED);
    State state = underWay ? State.BUILDING : failed.isPresent() ? State.FAILED : State.PENDING;
    return new Listed(
        definition.reference(),
        source,
        state,
        state == State.FAILED ? failed.flatMap(TemplateBuild::error) : Optional.empty());
  }

  private static Optional<Listed> image(String reference, Set<String> images) {
    return has(images, reference)
        .filter(image -> !TemplateDefinition.isBuilt(image))
        .map(
            image ->
                new Listed(
                    new Template(image, reference, image),
                    new Source.Image(),
                    State.READY,
                    Optional.empty()));
  }

  private static String builtInId(String name) {
    return "tpl_" + name;
  }

  /** A reference without a tag means {@code latest}, as everywhere. */
  private static Optional<String> has(Set<String> images, String reference) {
    return images.contains(reference)
        ? Optional.of(reference)
        : Optional.of(reference + ":latest").filter(images::contains);
  }
}
