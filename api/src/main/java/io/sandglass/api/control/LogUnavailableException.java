package io.sandglass.api.control;

/** The log did not acknowledge a command. */
public final class LogUnavailableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean perhapsAppended;

  public LogUnavailableException(String message, boolean perhapsAppended, Throwable cause) {
    super(message, cause);
    this.perhapsAppended = perhapsAppended;
  }

  /** False when the command is certainly not in the log and never will be. */
  public boolean perhapsAppended() {
    return perhapsAppended;
  }
}
