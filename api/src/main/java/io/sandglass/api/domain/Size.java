package io.sandglass.api.domain;

/**
 * What a sandbox may use.
 *
 * @param cpuMillis thousandths of a CPU
 */
public record Size(String name, int cpuMillis, long memoryBytes) {}
