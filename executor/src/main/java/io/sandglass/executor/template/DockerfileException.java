package io.sandglass.executor.template;

/** A Dockerfile that can't be built here; the message says why, and what to change. */
final class DockerfileException extends Exception {
  private static final long serialVersionUID = 1L;

  DockerfileException(int line, String why) {
    super("line " + line + ": " + why);
  }
}
