package io.sandglass.executor.execution;

/**
 * How much a detached execution has written so far.
 *
 * @param stdoutBytes all of it
 * @param stdoutKept what can be read
 */
public record Totals(
    long stdoutBytes, long stdoutKept, long stderrBytes, long stderrKept, boolean ended) {
  public static final Totals NONE = new Totals(0, 0, 0, 0, false);

  public boolean truncated() {
    return stdoutBytes > stdoutKept || stderrBytes > stderrKept;
  }
}
