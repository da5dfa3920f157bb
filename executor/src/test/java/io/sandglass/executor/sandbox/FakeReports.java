package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.Life;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps what is reported. */
public final class FakeReports implements Reports {
  private final List<Report> all = new CopyOnWriteArrayList<>();
  private volatile boolean unreachable;

  @Override
  public CompletableFuture<Void> publish(Report report) {
    if (unreachable) {
      return new CompletableFuture<>();
    }
    all.add(report);
    return CompletableFuture.completedFuture(null);
  }

  /** Reports stay under way for ever, or no longer. */
  public void unreachable(boolean now) {
    unreachable = now;
  }

  public List<Report> all() {
    return List.copyOf(all);
  }

  public <T extends Report.Content> List<T> of(Life life, Class<T> type) {
    return all.stream()
        .filter(report -> report.subject().life().equals(life))
        .map(Report::content)
        .filter(type::isInstance)
        .map(type::cast)
        .toList();
  }
}
