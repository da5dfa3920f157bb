package io.sandglass.executor;

import com.codahale.metrics.health.HealthCheck;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Supplier;

/** Healthy while something good happened recently. */
final class AgeCheck extends HealthCheck {
  private final String what;
  private final Supplier<Optional<Instant>> last;
  private final Duration oldest;
  private final InstantSource clock;

  AgeCheck(String what, Supplier<Optional<Instant>> last, Duration oldest, InstantSource clock) {
    this.what = what;
    this.last = last;
    this.oldest = oldest;
    this.clock = clock;
  }

  @Override
  protected Result check() {
    Optional<Instant> at = last.get();
    if (at.isEmpty()) {
      return Result.unhealthy("no %s yet", what);
    }
    Duration age = Duration.between(at.get(), clock.instant());
    return age.compareTo(oldest) > 0
        ? Result.unhealthy("the last %s is %d ms old", what, age.toMillis())
        : Result.healthy("the last %s is %d ms old", what, age.toMillis());
  }
}
