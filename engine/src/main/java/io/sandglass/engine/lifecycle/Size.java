package io.sandglass.engine.lifecycle;

/** A preset of limits: thousandths of a CPU, and bytes of memory. */
public record Size(String name, int cpuMillis, long memoryBytes) {}
