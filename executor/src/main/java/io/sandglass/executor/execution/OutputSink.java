package io.sandglass.executor.execution;

import java.io.IOException;

/** Takes a command's output as it comes; may block, and so hold the command back. */
public interface OutputSink {

  /**
   * @throws IOException when nobody wants the output any more
   */
  void accept(OutputStreamName stream, byte[] bytes, int offset, int length) throws IOException;

  /** Of a detached execution: first, and before its end. */
  default void totals(Totals totals) throws IOException {}

  /** The shell runs; before all output. */
  default void started() throws IOException {}
}
