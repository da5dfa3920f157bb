package io.sandglass.executor.guest;

import java.io.IOException;

/**
 * Where a command's output goes. A call that takes its time holds the command back: the guest stops
 * reading its pipes. A call that throws ends the execution and kills its processes. The array
 * belongs to the caller and changes after the call.
 */
public interface OutputSink {

  void stdout(byte[] bytes, int offset, int length) throws IOException;

  void stderr(byte[] bytes, int offset, int length) throws IOException;

  /** Of a detached execution: first, and before its end. */
  default void totals(GuestTotals totals) throws IOException {}

  /** The shell runs. */
  default void started() throws IOException {}
}
