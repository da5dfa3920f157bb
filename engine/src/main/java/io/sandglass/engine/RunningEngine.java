package io.sandglass.engine;

import com.codahale.metrics.health.HealthCheck;
import io.dropwizard.lifecycle.Managed;
import io.sandglass.engine.stream.Running;
import java.io.IOException;
import java.util.Optional;

/** A part of the engine between the application's start and its stop. */
final class RunningEngine implements Managed {

  /** How it is started. */
  interface Start {
    Running start() throws IOException, InterruptedException;
  }

  private final Start how;
  private volatile Optional<Running> running = Optional.empty();

  RunningEngine(Start how) {
    this.how = how;
  }

  @Override
  public void start() throws IOException, InterruptedException {
    running = Optional.of(how.start());
  }

  @Override
  public void stop() {
    running.ifPresent(Running::close);
    running = Optional.empty();
  }

  /** Healthy while records are processed. */
  HealthCheck health() {
    return new HealthCheck() {
      @Override
      protected Result check() {
        return running
            .map(
                streams ->
                    streams.isRunning()
                        ? Result.healthy(streams.state())
                        : Result.unhealthy(streams.state()))
            .orElseGet(() -> Result.unhealthy("NOT_STARTED"));
      }
    };
  }
}
