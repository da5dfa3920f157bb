package io.sandglass.api.domain;

/**
 * What a sandbox starts from.
 *
 * @param image the reference as the container runtime knows it
 */
public record Template(String id, String name, String image) {}
