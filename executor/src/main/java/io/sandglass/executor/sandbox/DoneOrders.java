package io.sandglass.executor.sandbox;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How far this process has come with each sandbox, so that orders which are delivered again to it
 * do not take a sandbox through its past once more. What is forgotten is merely done again.
 */
final class DoneOrders {
  private static final int MOST = 20_000;

  private final Map<String, Long> versions =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
          return size() > MOST;
        }
      };

  /** Whether this order, or a later one, is done and told. */
  synchronized boolean knows(Order order) {
    return isFact(order)
        && order.subject().version() <= versions.getOrDefault(order.life().sandboxId(), 0L);
  }

  synchronized void remember(Order order) {
    if (isFact(order)) {
      versions.merge(order.life().sandboxId(), order.subject().version(), Math::max);
    }
  }

  /** The versions of a sandbox's facts ascend over all its lives. */
  private static boolean isFact(Order order) {
    return order.subject().version() > 0;
  }
}
