package io.sandglass.engine.wire;

/** A record with a schema that this release does not have: a newer one wrote it. */
public final class NewerReleaseException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NewerReleaseException(long fingerprint) {
    super("written by a newer release: unknown schema %016x".formatted(fingerprint));
  }
}
