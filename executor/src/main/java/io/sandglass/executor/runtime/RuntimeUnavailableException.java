package io.sandglass.executor.runtime;

/** The runtime did not answer, or failed in a way that may pass: worth another attempt. */
public final class RuntimeUnavailableException extends RuntimeException {
  public RuntimeUnavailableException(String message, Throwable cause) {
    super(message, cause);
  }
}
