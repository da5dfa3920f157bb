package io.sandglass.executor;

import com.codahale.metrics.health.HealthCheck;
import io.sandglass.executor.runtime.ContainerRuntime;

/** Healthy while the container runtime answers; says which it is. */
final class RuntimeCheck extends HealthCheck {
  private final ContainerRuntime runtime;

  RuntimeCheck(ContainerRuntime runtime) {
    this.runtime = runtime;
  }

  @Override
  protected Result check() {
    return Result.healthy("version %s", runtime.host().version());
  }
}
