package io.sandglass.api.domain;

/** Something that happened to a sandbox. */
public record SandboxEvent(EventHeader header, Fact fact) {}
