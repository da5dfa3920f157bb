package io.sandglass.executor.runtime.docker;

/**
 * Something on the host that weakens the walls around sandboxes.
 *
 * @param what what is so
 * @param remedy what an operator can do about it
 */
public record Weakness(String what, String remedy) {}
