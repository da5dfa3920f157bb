package io.sandglass.api.dataplane;

import java.io.Closeable;
import java.io.IOException;

/**
 * What a call to a node hangs on. Whoever cuts it ends the call, wherever it is; the node kills the
 * command then.
 */
public final class Lifeline {
  private Closeable held = () -> {};
  private boolean cut;

  /** Ends the call. May be called by any thread, more than once, also before there is one. */
  public void cut() {
    Closeable closing;
    synchronized (this) {
      cut = true;
      closing = held;
      held = () -> {};
    }
    close(closing);
  }

  public synchronized boolean isCut() {
    return cut;
  }

  /** From now on this is what a cut closes; at once when it has been cut. */
  void hold(Closeable call) {
    synchronized (this) {
      if (!cut) {
        held = call;
        return;
      }
    }
    close(call);
  }

  private static void close(Closeable call) {
    try {
      call.close();
    } catch (IOException e) {
      // Its reader hears of it.
    }
  }
}
