package io.sandglass.engine;

import com.codahale.metrics.health.HealthCheck;
import io.dropwizard.lifecycle.Managed;
import io.sandglass.engine.audit.SigningKey;
import io.sandglass.engine.stream.Engine;
import io.sandglass.engine.stream.EngineMetrics;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine between the application's start and its stop. */
final class RunningEngine implements Managed {
  private static final Logger LOG = LoggerFactory.getLogger(RunningEngine.class);

  private final EngineConfiguration configuration;
  private final EngineMetrics metrics;
  private volatile Optional<Engine> engine = Optional.empty();

  RunningEngine(EngineConfiguration configuration, EngineMetrics metrics) {
    this.configuration = configuration;
    this.metrics = metrics;
  }

  @Override
  public void start() throws InterruptedException, IOException {
    SigningKey key = SigningKey.open(configuration.getAudit().key());
    LOG.info(
        "checkpoints are signed with key={} file={}", key.id(), configuration.getAudit().key());
    engine =
        Optional.of(
            Engine.start(configuration.deployment(), configuration.settings(), key, metrics));
  }

  @Override
  public void stop() {
    engine.ifPresent(Engine::close);
    engine = Optional.empty();
  }

  /** Healthy while commands are processed. */
  HealthCheck health() {
    return new HealthCheck() {
      @Override
      protected Result check() {
        return engine
            .map(
                running ->
                    running.isRunning()
                        ? Result.healthy(running.state())
                        : Result.unhealthy(running.state()))
            .orElseGet(() -> Result.unhealthy("NOT_STARTED"));
      }
    };
  }
}
