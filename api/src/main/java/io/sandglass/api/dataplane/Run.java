package io.sandglass.api.dataplane;

/** How an execution went, as far as it is known. */
public sealed interface Run {

  /**
   * It ended, and this is how.
   *
   * @param truncated whether output was dropped
   * @param stdoutBytes all that it wrote, dropped bytes included
   */
  record Finished(
      int exitCode,
      long durationMs,
      boolean timedOut,
      boolean truncated,
      long stdoutBytes,
      long stderrBytes)
      implements Run {}

  /** It certainly never began. */
  record NeverBegan(Cause cause, String detail) implements Run {}

  /** It may have run, wholly or in part. */
  record Unknown(String detail) implements Run {}

  /** It was detached, and its sandbox does not know it any more. */
  record Forgotten() implements Run {}

  /** Why it never began. */
  enum Cause {
    NOT_RUNNING,
    NODE_UNAVAILABLE,
    /** The node runs as many as it can. */
    TOO_MANY,
    /** It cannot be done as asked: no such directory, or too much for the kernel. */
    NOT_POSSIBLE
  }
}
