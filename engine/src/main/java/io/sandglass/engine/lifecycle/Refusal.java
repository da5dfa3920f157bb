package io.sandglass.engine.lifecycle;

/**
 * A request that was turned down before it became a command, for those who audit.
 *
 * @param operation what was asked for, by its name in the API's document
 * @param detail what the client was told
 * @param suppressed how many more of the same key's were turned down for this since the last one
 *     that was noted
 */
public record Refusal(Code code, String operation, String detail, long suppressed) {

  /** Why: a closed set. */
  public enum Code {
    FOREIGN_ORGANIZATION,
    QUOTA_EXCEEDED,
    TOO_MANY_REQUESTS
  }
}
