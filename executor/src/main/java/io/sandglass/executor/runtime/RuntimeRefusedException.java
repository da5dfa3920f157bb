package io.sandglass.executor.runtime;

/** The runtime understood and refused: another attempt would end the same. */
public final class RuntimeRefusedException extends RuntimeException {
  public RuntimeRefusedException(String message, Throwable cause) {
    super(message, cause);
  }
}
