package io.sandglass.engine.audit;

/**
 * Something in the log that isn't as it was written, or doesn't agree with something else.
 *
 * @param where topic, partition, offset, sandbox and version, as far as there are such
 */
public record Finding(String where, String what) {

  /** In one line. */
  @Override
  public String toString() {
    return where + ": " + what;
  }
}
