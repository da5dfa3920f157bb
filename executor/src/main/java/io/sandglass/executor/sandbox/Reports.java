package io.sandglass.executor.sandbox;

import java.util.concurrent.CompletableFuture;

/** Where reports go. */
public interface Reports {

  /** Completes when the log has it for good; exceptionally when it is not known to. */
  CompletableFuture<Void> publish(Report report);
}
