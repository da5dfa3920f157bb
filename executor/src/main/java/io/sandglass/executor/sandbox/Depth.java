package io.sandglass.executor.sandbox;

/** How deep a suspended sandbox sleeps. */
public enum Depth {
  /** Processes held, memory kept. */
  FROZEN,
  /** Processes ended, files kept. */
  STOPPED
}
