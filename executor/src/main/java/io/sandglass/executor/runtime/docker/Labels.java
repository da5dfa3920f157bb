package io.sandglass.executor.runtime.docker;

import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.Life;
import java.util.Map;
import java.util.Optional;

/**
 * What a container was made as. Labels can't change, and so survive every restart of ours; whose it
 * is now, its name says.
 */
final class Labels {
  static final String SANDBOX = "io.sandglass.sandbox";
  static final String SPARE = "io.sandglass.spare";
  static final String ORG = "io.sandglass.org";
  static final String NODE = "io.sandglass.node";
  static final String ADDRESS = "io.sandglass.address";

  /** Which address a network holder holds; nothing else has this label. */
  static final String HOLDER = "io.sandglass.holder";

  /** Which node has built an image, and of what; of a container, which builds in it. */
  static final String BUILDER = "io.sandglass.builder";

  static final String REVISION = "io.sandglass.revision";

  private Labels() {}

  static Map<String, String> of(ContainerSpec spec, String nodeId) {
    return Map.of(
        spec.life().isSpare() ? SPARE : SANDBOX,
        spec.life().sandboxId(),
        ORG,
        spec.orgId(),
        NODE,
        nodeId,
        ADDRESS,
        spec.address());
  }

  /** Whose a container was when it was made that is this life's now. */
  static Life origin(Map<String, String> labels, Life life) {
    return Optional.ofNullable(labels.get(SPARE)).map(Life::spare).orElse(life);
  }
}
