package io.sandglass.engine.lifecycle;

/** What goes on inside a sandbox on a client's behalf. */
public enum ExecutionKind {
  COMMAND,
  /** A command that goes on without its caller. */
  DETACHED,
  UPLOAD,
  DOWNLOAD
}
