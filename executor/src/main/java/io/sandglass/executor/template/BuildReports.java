package io.sandglass.executor.template;

import java.util.concurrent.CompletableFuture;

/** Where is told how far this node is with its builds. */
public interface BuildReports {

  /** Completes when the log has it for good; exceptionally when it is not known to. */
  CompletableFuture<Void> tell(Build build);

  /** The same, of having no build of this template any longer. */
  CompletableFuture<Void> forget(String templateId);
}
