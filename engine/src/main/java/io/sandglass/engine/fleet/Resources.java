package io.sandglass.engine.fleet;

/** Room on a node: thousandths of a CPU, bytes of memory, sandboxes. */
public record Resources(int cpuMillis, long memoryBytes, int sandboxes) {}
