package io.sandglass.executor.sandbox;

import io.sandglass.executor.sandbox.Preemption.Cause;
import io.sandglass.executor.sandbox.Preemption.PreemptedException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sees a report through: returns when the log has it. */
final class Delivery {
  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);
  private static final Duration GLANCE = Duration.ofMillis(200);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final Reports reports;

  Delivery(Reports reports) {
    this.reports = reports;
  }

  /** Tries until it is delivered. Only a shutdown ends this early. */
  void deliver(Report report, Preemption preemption) {
    for (int attempt = 1; ; attempt++) {
      if (delivered(report, preemption, attempt)) {
        LOG.info(
            "report={} sandbox={} incarnation={} order_version={} {}",
            report.content().getClass().getSimpleName(),
            report.subject().life().sandboxId(),
            report.subject().life().incarnation(),
            report.subject().version(),
            report.content());
        return;
      }
    }
  }

  private boolean delivered(Report report, Preemption preemption, int attempt) {
    Future<Void> delivery = reports.publish(report);
    while (true) {
      try {
        delivery.get(GLANCE.toMillis(), TimeUnit.MILLISECONDS);
        return true;
      } catch (TimeoutException e) {
        endOnShutdown(preemption);
      } catch (ExecutionException e) {
        LOG.warn("report={} attempt={} failed: {}", report.id(), attempt, e.getCause().toString());
        endOnShutdown(preemption);
        sleep();
        return false;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new PreemptedException(Cause.SHUTDOWN);
      }
    }
  }

  private static void endOnShutdown(Preemption preemption) {
    if (preemption.isShutdown()) {
      throw new PreemptedException(Cause.SHUTDOWN);
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PreemptedException(Cause.SHUTDOWN);
    }
  }
}
