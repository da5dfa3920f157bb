package io.sandglass.executor.runtime;

/** What came of asking for a container. */
public sealed interface Creation {

  record Created(String containerId) implements Creation {}

  /** It is there already, whoever asked for it. */
  record AlreadyThere(FoundContainer container) implements Creation {}

  /** The runtime does not have the image; it is not fetched. */
  record NoSuchImage(String image) implements Creation {}
}
