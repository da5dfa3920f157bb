package io.sandglass.engine.lifecycle;

/** Why a sandbox is suspended: a closed set. */
public enum SuspendReason {
  REQUESTED,
  IDLE,
  /** Frozen for long enough, or its node runs short: its memory is wanted back. */
  MEMORY,
  /** Its first process ended by itself, with the host or the container runtime perhaps. */
  EXITED,
  NODE_LOST,
  /** Its node came back with a container that should have been asleep. */
  NODE_RETURNED
}
