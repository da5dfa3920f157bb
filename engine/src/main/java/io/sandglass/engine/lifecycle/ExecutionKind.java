package io.sandglass.engine.lifecycle;

/** What goes on inside a sandbox on a client's behalf. */
public enum ExecutionKind {
  COMMAND,
  UPLOAD,
  DOWNLOAD
}
