package io.sandglass.engine;

import com.codahale.metrics.health.HealthCheck;
import io.dropwizard.configuration.FileConfigurationSourceProvider;
import io.dropwizard.configuration.ResourceConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.core.Application;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import io.sandglass.engine.stream.EngineMetrics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.commons.text.StringSubstitutor;

/**
 * The engine as a process: {@code java -jar engine.jar [engine.yml]}; and the tools that read what
 * it wrote, {@code java -jar engine.jar audit|verify|replay|export …}.
 */
public final class EngineApplication extends Application<EngineConfiguration> {
  static final String OWN_CONFIGURATION = "engine.yml";

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
    RunningEngine engine =
        new RunningEngine(configuration, new EngineMetrics(environment.metrics()));
    HealthCheck health = engine.health();
    environment.healthChecks().register("streams", health);
    environment.lifecycle().manage(engine);
    environment
        .admin()
        .addServlet("healthz", new HealthServlet(() -> HealthCheck.Result.healthy("alive")))
        .addMapping("/healthz");
    environment
        .admin()
        .addServlet("readyz", new HealthServlet(health::execute))
        .addMapping("/readyz");
  }
}
