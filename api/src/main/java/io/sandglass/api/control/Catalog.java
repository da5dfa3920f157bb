package io.sandglass.api.control;

import io.sandglass.api.domain.Size;
import io.sandglass.api.domain.Template;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What sandboxes can be made of: templates and sizes. */
public final class Catalog {

  /**
   * A template and whether a node has it.
   *
   * @param builtIn false for an image that is used by its reference
   */
  public record Listed(Template template, boolean builtIn, boolean ready) {}

  private final Map<String, String> builtIns;
  private final Map<String, Size> sizes;
  private final Nodes nodes;

  /**
   * @param builtIns image references by template name
   */
  public Catalog(Map<String, String> builtIns, List<Size> sizes, Nodes nodes) {
    this.builtIns = Collections.unmodifiableMap(new LinkedHashMap<>(builtIns));
    Map<String, Size> byName = new LinkedHashMap<>();
    sizes.forEach(size -> byName.put(size.name(), size));
    this.sizes = Collections.unmodifiableMap(byName);
    this.nodes = nodes;
  }

  /** Smallest first, as configured. */
  public List<Size> sizes() {
    return List.copyOf(sizes.values());
  }

  public Optional<Size> size(String name) {
    return Optional.ofNullable(sizes.get(name));
  }

  public List<Listed> templates() {
    Set<String> images = nodes.images();
    List<Listed> templates = new ArrayList<>();
    builtIns.forEach(
        (name, image) ->
            templates.add(new Listed(builtIn(name, image), true, has(images, image).isPresent())));
    return List.copyOf(templates);
  }

  /** By name or id; else an image that some ready node has, by its reference. */
  public Optional<Listed> template(String nameOrId) {
    return templates().stream()
        .filter(
            listed ->
                listed.template().name().equals(nameOrId)
                    || listed.template().id().equals(nameOrId))
        .findFirst()
        .or(
            () ->
                has(nodes.images(), nameOrId)
                    .map(image -> new Listed(new Template(image, nameOrId, image), false, true)));
  }

  private static Template builtIn(String name, String image) {
    return new Template("tpl_" + name, name, image);
  }

  /** A reference without a tag means {@code latest}, as everywhere. */
  private static Optional<String> has(Set<String> images, String reference) {
    return images.contains(reference)
        ? Optional.of(reference)
        : Optional.of(reference + ":latest").filter(images::contains);
  }
}
