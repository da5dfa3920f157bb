package io.sandglass.executor.execution;

/** How much of one output stream is passed on. The rest is counted and dropped. */
final class OutputLimit {
  private final long most;
  private long seen;

  OutputLimit(long most) {
    this.most = most;
  }

  /** How many of the next {@code length} bytes, counted from their first, are passed on. */
  int admit(int length) {
    long room = Math.max(0, most - seen);
    seen += length;
    return (int) Math.min(room, length);
  }

  /** Bytes that came, dropped ones included. */
  long seen() {
    return seen;
  }

  boolean truncated() {
    return seen > most;
  }
}
