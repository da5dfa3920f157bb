package io.sandglass.engine.stream;

import com.codahale.metrics.Histogram;
import com.codahale.metrics.Meter;
import com.codahale.metrics.MetricRegistry;
import io.sandglass.engine.lifecycle.Rejection;
import java.time.Duration;
import java.util.Locale;

/** What the engine counts. */
public final class EngineMetrics {
  private final MetricRegistry registry;
  private final Meter deadLetters;
  private final Meter unroutable;
  private final Meter lateUsage;
  private final Histogram deadlineLag;

  public EngineMetrics(MetricRegistry registry) {
    this.registry = registry;
    this.deadLetters = registry.meter("engine.dead_letters");
    this.unroutable = registry.meter("engine.unroutable_orders");
    this.lateUsage = registry.meter("engine.late_usage");
    this.deadlineLag = registry.histogram("engine.deadline_lag_ms");
  }

  void event(String type) {
    registry.meter(MetricRegistry.name("engine.events", type)).mark();
  }

  void rejection(Rejection code) {
    registry
        .meter(MetricRegistry.name("engine.rejections", code.name().toLowerCase(Locale.ROOT)))
        .mark();
  }

  void deadLetter() {
    deadLetters.mark();
  }

  void unroutable() {
    unroutable.mark();
  }

  /** A watermark was wrong. */
  void lateUsage() {
    lateUsage.mark();
  }

  /** How long after its time a deadline fired. */
  void fired(Duration lag) {
    deadlineLag.update(lag.toMillis());
  }
}
