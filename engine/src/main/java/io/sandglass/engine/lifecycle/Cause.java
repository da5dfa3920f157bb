package io.sandglass.engine.lifecycle;

/** What brought a fact about. */
public enum Cause {
  COMMAND,
  DEADLINE,
  REPORT,
  NODE_LOSS
}
