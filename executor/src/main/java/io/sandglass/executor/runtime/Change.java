package io.sandglass.executor.runtime;

/** What came of changing a container. */
public enum Change {
  /** It is now as asked, or was before. */
  DONE,
  /** There is no such container, or none in a phase that this could apply to. */
  MISSING
}
