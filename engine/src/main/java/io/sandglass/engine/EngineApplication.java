package io.sandglass.engine;

import com.codahale.metrics.health.HealthCheck;
import io.dropwizard.configuration.FileConfigurationSourceProvider;
import io.dropwizard.configuration.ResourceConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.core.Application;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import io.sandglass.engine.audit.SigningKey;
import io.sandglass.engine.stream.Engine;
import io.sandglass.engine.stream.EngineMetrics;
import io.sandglass.engine.stream.Running;
import io.sandglass.engine.stream.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.commons.text.StringSubstitutor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine as a process: {@code java -jar engine.jar [engine.yml]}; and the tools that read what
 * it wrote, {@code java -jar engine.jar audit|verify|verify-usage|replay|export …}.
 */
public final class EngineApplication extends Application<EngineConfiguration> {
  static final String OWN_CONFIGURATION = "engine.yml";

  private static final Logger LOG = LoggerFactory.getLogger(EngineApplication.class);

  private final Map<String, String> environment;
  private final Console console;

  /**
   * @param environment what the variables in the configuration stand for
   */
  public EngineApplication(Map<String, String> environment) {
    this(environment, new Console(System.out, System.err, System::exit));
  }

  /**
   * @param environment what the variables in the configuration stand for
   * @param console what the tools talk to
   */
  public EngineApplication(Map<String, String> environment, Console console) {
    this.environment = Map.copyOf(environment);
    this.console = console;
  }

  public static void main(String[] args) throws Exception {
    EngineApplication application = new EngineApplication(System.getenv());
    if (args.length == 0) {
      application.start();
    } else if (args.length == 1 && Files.exists(Path.of(args[0]))) {
      application.run("server", args[0]);
    } else {
      application.run(args);
    }
  }

  /** Starts on the configuration that comes with the engine. */
  public void start() throws Exception {
    run("server", OWN_CONFIGURATION);
  }

  @Override
  public String getName() {
    return "engine";
  }

  @Override
  public void initialize(Bootstrap<EngineConfiguration> bootstrap) {
    bootstrap.addCommand(new Audit(console));
    bootstrap.addCommand(new Verify(console));
    bootstrap.addCommand(new VerifyUsage(console));
    bootstrap.addCommand(new Replay(console));
    bootstrap.addCommand(new Export(console));
    var files = new FileConfigurationSourceProvider();
    var resources = new ResourceConfigurationSourceProvider();
    bootstrap.setConfigurationSourceProvider(
        new SubstitutingSourceProvider(
            path -> (path.equals(OWN_CONFIGURATION) ? resources : files).open(path),
            new StringSubstitutor(environment).setEnableSubstitutionInVariables(true)));
  }

  @Override
  protected void onFatalError(Throwable t) {
    console.exit().accept(Console.CANNOT_RUN);
  }

  @Override
  public void run(EngineConfiguration configuration, Environment environment) {
    EngineMetrics metrics = new EngineMetrics(environment.metrics());
    RunningEngine engine = new RunningEngine(() -> engine(configuration, metrics));
    HealthCheck health = engine.health();
    environment.healthChecks().register("streams", health);
    environment.lifecycle().manage(engine);
    if (configuration.getUsage().enabled()) {
      RunningEngine usage =
          new RunningEngine(
              () ->
                  Usage.start(
                      configuration.usageDeployment(),
                      configuration.getUsage().settles(),
                      metrics));
      environment.healthChecks().register("usage", usage.health());
      environment.lifecycle().manage(usage);
    }
    environment
        .admin()
        .addServlet("healthz", new HealthServlet(() -> HealthCheck.Result.healthy("alive")))
        .addMapping("/healthz");
    environment
        .admin()
        .addServlet("readyz", new HealthServlet(health::execute))
        .addMapping("/readyz");
  }

  private static Running engine(EngineConfiguration configuration, EngineMetrics metrics)
      throws IOException, InterruptedException {
    SigningKey key = SigningKey.open(configuration.getAudit().key());
    LOG.info(
        "checkpoints are signed with key={} file={}", key.id(), configuration.getAudit().key());
    return Engine.start(configuration.deployment(), configuration.settings(), key, metrics);
  }
}
