package io.sandglass.executor.template;

import java.util.List;
import java.util.Map;

/**
 * All templates as the log has them at one time.
 *
 * @param builds what this node has told of its builds last, by template id; also of templates that
 *     are gone
 */
public record Templates(List<Template> defined, Map<String, Build> builds) {
  public static final Templates NONE = new Templates(List.of(), Map.of());

  public Templates {
    defined = List.copyOf(defined);
    builds = Map.copyOf(builds);
  }
}
