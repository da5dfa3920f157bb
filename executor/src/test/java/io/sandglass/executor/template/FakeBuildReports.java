package io.sandglass.executor.template;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps what is told, in the order in which it was. */
final class FakeBuildReports implements BuildReports {
  private final List<String> all = new CopyOnWriteArrayList<>();
  private volatile boolean unreachable;

  void unreachable(boolean now) {
    unreachable = now;
  }

  @Override
  public CompletableFuture<Void> tell(Build build) {
    return note(
        build.templateId()
            + " "
            + build.revision()
            + " "
            + build.state().text()
            + build.error().map(error -> ": " + error).orElse(""));
  }

  @Override
  public CompletableFuture<Void> forget(String templateId) {
    return note(templateId + " forgotten");
  }

  private CompletableFuture<Void> note(String what) {
    if (unreachable) {
      return CompletableFuture.failedFuture(new IllegalStateException("the log is out of reach"));
    }
    all.add(what);
    return CompletableFuture.completedFuture(null);
  }

  List<String> all() {
    return List.copyOf(all);
  }
}
