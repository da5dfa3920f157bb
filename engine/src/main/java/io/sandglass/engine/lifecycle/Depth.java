package io.sandglass.engine.lifecycle;

/** How deep a suspended sandbox sleeps. */
public enum Depth {
  /** Its processes stand still in memory; back within milliseconds. */
  FROZEN,
  /** Its files are kept, its processes and memory are not. */
  STOPPED
}
