package io.sandglass.executor.execution;

import java.io.IOException;

/** Passes the beginning of both streams on; the command runs on while the rest is dropped. */
public final class LimitedOutput implements OutputSink {
  private final OutputSink next;
  private final OutputLimit stdout;
  private final OutputLimit stderr;

  /**
   * @param most bytes of each stream
   */
  public LimitedOutput(OutputSink next, long most) {
    this.next = next;
    this.stdout = new OutputLimit(most);
    this.stderr = new OutputLimit(most);
  }

  @Override
  public void started() throws IOException {
    next.started();
  }

  @Override
  public void accept(OutputStreamName stream, byte[] bytes, int offset, int length)
      throws IOException {
    OutputLimit limit =
        switch (stream) {
          case STDOUT -> stdout;
          case STDERR -> stderr;
        };
    int admitted = limit.admit(length);
    if (admitted > 0) {
      next.accept(stream, bytes, offset, admitted);
    }
  }

  public long stdoutBytes() {
    return stdout.seen();
  }

  public long stderrBytes() {
    return stderr.seen();
  }

  public boolean truncated() {
    return stdout.truncated() || stderr.truncated();
  }
}
