package io.sandglass.engine.lifecycle;

/**
 * What a sandbox is made from; {@code image} is the reference as the container runtime knows it.
 */
public record Template(String id, String name, String image) {}
