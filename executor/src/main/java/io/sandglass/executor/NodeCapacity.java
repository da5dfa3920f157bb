package io.sandglass.executor;

import io.sandglass.executor.ExecutorConfiguration.CapacitySection;
import io.sandglass.executor.runtime.RuntimeHost;
import io.sandglass.executor.sandbox.Capacity;

/** How much of a machine is given to sandboxes. */
final class NodeCapacity {
  private NodeCapacity() {}

  static Capacity of(CapacitySection section, RuntimeHost host) {
    return new Capacity(
        section.cpuMillis > 0
            ? section.cpuMillis
            : Math.multiplyExact(host.cpus() * 1000, section.cpuOvercommit),
        section.memoryBytes > 0
            ? section.memoryBytes
            : host.memoryBytes() / 100 * section.memoryPercent,
        section.sandboxes);
  }
}
