package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import java.util.Optional;

/** How much a node holds, or how much of it is taken. */
public record Capacity(int cpuMillis, long memoryBytes, int sandboxes) {
  public static final Capacity NOTHING = new Capacity(0, 0, 0);

  Capacity plus(int cpuMillis, long memoryBytes, int sandboxes) {
    return new Capacity(
        this.cpuMillis + cpuMillis, this.memoryBytes + memoryBytes, this.sandboxes + sandboxes);
  }

  boolean holds(Capacity used) {
    return used.cpuMillis <= cpuMillis
        && used.memoryBytes <= memoryBytes
        && used.sandboxes <= sandboxes;
  }

  /** Why one more sandbox does not fit beside {@code used}; empty when it does. */
  Optional<String> refusal(Capacity used, Limits wanted) {
    if (used.sandboxes + 1 > sandboxes) {
      return Optional.of("the node holds its " + sandboxes + " sandboxes");
    }
    if (used.cpuMillis + wanted.cpuMillis() > cpuMillis) {
      return Optional.of(
          "the node has " + (cpuMillis - used.cpuMillis) + " of " + cpuMillis + " mCPU left");
    }
    if (used.memoryBytes + wanted.memoryBytes() > memoryBytes) {
      return Optional.of(
          "the node has " + (memoryBytes - used.memoryBytes) + " of " + memoryBytes + " B left");
    }
    return Optional.empty();
  }
}
