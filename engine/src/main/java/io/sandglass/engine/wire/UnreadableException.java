package io.sandglass.engine.wire;

/** A record whose schema is known, but whose content is not something this release understands. */
public final class UnreadableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UnreadableException(String reason) {
    super(reason);
  }
}
