package io.sandglass.engine.lifecycle;

/** Why a sandbox ended: a closed set. */
public enum EndReason {
  REQUESTED,
  EXPIRED,
  START_FAILED,
  EXITED,
  OOM_KILLED,
  RUNTIME_LOST,
  NODE_LOST
}
