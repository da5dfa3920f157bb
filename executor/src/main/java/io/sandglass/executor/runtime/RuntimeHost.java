package io.sandglass.executor.runtime;

/** The machine that the runtime runs containers on, which need not be the one we run on. */
public record RuntimeHost(String version, int cpus, long memoryBytes) {}
