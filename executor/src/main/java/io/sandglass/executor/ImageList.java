package io.sandglass.executor;

import io.sandglass.executor.runtime.ContainerRuntime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images of this node, asked for at most every few seconds. */
final class ImageList {
  private static final Logger LOG = LoggerFactory.getLogger(ImageList.class);
  private static final int MOST = 1000;

  private final ContainerRuntime runtime;
  private final long restNanos;
  private final AtomicBoolean stale = new AtomicBoolean(true);
  private long askedAt;
  private List<String> images = List.of();

  /**
   * @param rest between two questions
   */
  ImageList(ContainerRuntime runtime, Duration rest) {
    this.runtime = runtime;
    this.restNanos = rest.toNanos();
    this.askedAt = System.nanoTime() - restNanos;
  }

  /** Something may have changed. */
  void hint() {
    stale.set(true);
  }

  /** As last seen, when the runtime does not answer. */
  synchronized List<String> get() {
    long now = System.nanoTime();
    long age = now - askedAt;
    if (age >= 5 * restNanos || (age >= restNanos && stale.get())) {
      askedAt = now;
      stale.set(false);
      try {
        List<String> all = runtime.images();
        images = all.subList(0, Math.min(MOST, all.size()));
      } catch (RuntimeException e) {
        stale.set(true);
        LOG.warn("The images were not listed: {}", e.getMessage());
      }
    }
    return images;
  }
}
