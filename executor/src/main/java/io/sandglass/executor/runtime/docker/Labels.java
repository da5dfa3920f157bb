package io.sandglass.executor.runtime.docker;

import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.Life;
import java.util.Map;
import java.util.Optional;

/** How a container says whose it is. Labels can't change, and so survive every restart of ours. */
final class Labels {
  static final String SANDBOX = "io.sandglass.sandbox";
  static final String INCARNATION = "io.sandglass.incarnation";
  static final String ORG = "io.sandglass.org";
  static final String NODE = "io.sandglass.node";
  static final String ADDRESS = "io.sandglass.address";
  static final String CPU_MILLIS = "io.sandglass.cpu-millis";
  static final String MEMORY_BYTES = "io.sandglass.memory-bytes";

  /** Which node has built an image, and of what; of a container, which builds in it. */
  static final String BUILDER = "io.sandglass.builder";

  static final String REVISION = "io.sandglass.revision";

  private Labels() {}

  static Map<String, String> of(ContainerSpec spec, String nodeId) {
    return Map.of(
        SANDBOX, spec.life().sandboxId(),
        INCARNATION, Integer.toString(spec.life().incarnation()),
        ORG, spec.orgId(),
        NODE, nodeId,
        ADDRESS, spec.address(),
        CPU_MILLIS, Integer.toString(spec.limits().cpuMillis()),
        MEMORY_BYTES, Long.toString(spec.limits().memoryBytes()));
  }

  /** Empty when the container is none of ours. */
  static Optional<Life> life(Map<String, String> labels) {
    String sandbox = labels.get(SANDBOX);
    if (sandbox == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Life(sandbox, Integer.parseInt(labels.getOrDefault(INCARNATION, ""))));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  static ContainerSpec.Limits limits(Map<String, String> labels) {
    try {
      return new ContainerSpec.Limits(
          Integer.parseInt(labels.getOrDefault(CPU_MILLIS, "0")),
          Long.parseLong(labels.getOrDefault(MEMORY_BYTES, "0")));
    } catch (NumberFormatException e) {
      return ContainerSpec.Limits.NONE;
    }
  }
}
