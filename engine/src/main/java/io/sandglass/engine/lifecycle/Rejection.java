package io.sandglass.engine.lifecycle;

/** Why a request was turned down: a closed set. */
public enum Rejection {
  SANDBOX_NOT_FOUND,
  FOREIGN_ORGANIZATION,
  NOT_RUNNING,
  NOT_EPHEMERAL,
  NOT_PERSISTENT,
  CANNOT_WAKE,
  EXECUTION_IN_FLIGHT,
  IDEMPOTENCY_CONFLICT,
  NO_CAPACITY
}
