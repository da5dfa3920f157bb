package io.sandglass.api;

import com.fasterxml.jackson.core.JsonGenerator;
import io.dropwizard.auth.PolymorphicAuthValueFactoryProvider;
import io.dropwizard.configuration.ConfigurationSourceProvider;
import io.dropwizard.configuration.FileConfigurationSourceProvider;
import io.dropwizard.configuration.SubstitutingSourceProvider;
import io.dropwizard.core.Application;
import io.dropwizard.core.server.AbstractServerFactory;
import io.dropwizard.core.server.DefaultServerFactory;
import io.dropwizard.core.server.ServerFactory;
import io.dropwizard.core.setup.Environment;
import io.dropwizard.db.ManagedDataSource;
import io.dropwizard.jdbi3.JdbiFactory;
import io.dropwizard.jetty.ConnectorFactory;
import io.dropwizard.jetty.HttpConnectorFactory;
import io.dropwizard.util.DataSize;
import io.sandglass.api.control.Accounts;
import io.sandglass.api.control.Catalog;
import io.sandglass.api.control.Claims;
import io.sandglass.api.control.CommandLog;
import io.sandglass.api.control.Detached;
import io.sandglass.api.control.Executions;
import io.sandglass.api.control.Files;
import io.sandglass.api.control.History;
import io.sandglass.api.control.Nodes;
import io.sandglass.api.control.Progress;
import io.sandglass.api.control.Quotas;
import io.sandglass.api.control.Readiness;
import io.sandglass.api.control.Refusals;
import io.sandglass.api.control.Sandboxes;
import io.sandglass.api.control.Templates;
import io.sandglass.api.control.Waking;
import io.sandglass.api.dataplane.AheadPlane;
import io.sandglass.api.dataplane.BuildLogs;
import io.sandglass.api.dataplane.DataPlane;
import io.sandglass.api.dataplane.FilePlane;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.http.Access;
import io.sandglass.api.http.Administrator;
import io.sandglass.api.http.AuditedRefusals;
import io.sandglass.api.http.Caller;
import io.sandglass.api.http.CreateRate;
import io.sandglass.api.http.EncodedBodies;
import io.sandglass.api.http.Idempotency;
import io.sandglass.api.http.InFlight;
import io.sandglass.api.http.JettyProblems;
import io.sandglass.api.http.JsonBodies;
import io.sandglass.api.http.RequestIds;
import io.sandglass.api.http.ThrowableMapper;
import io.sandglass.api.http.UnreadBodies;
import io.sandglass.api.kafka.ProjectionReader;
import io.sandglass.api.resources.AdminResource;
import io.sandglass.api.resources.CatalogResource;
import io.sandglass.api.resources.CommandsResource;
import io.sandglass.api.resources.DocsResource;
import io.sandglass.api.resources.ExecutionRecordsResource;
import io.sandglass.api.resources.ExecutionsResource;
import io.sandglass.api.resources.FilesResource;
import io.sandglass.api.resources.HistoryResource;
import io.sandglass.api.resources.OperationsResource;
import io.sandglass.api.resources.PoolsResource;
import io.sandglass.api.resources.QuotaResource;
import io.sandglass.api.resources.SandboxesResource;
import io.sandglass.api.resources.TemplatesResource;
import io.sandglass.api.resources.UsageResource;
import io.sandglass.api.resources.WebhooksResource;
import io.sandglass.api.secrets.AdminKey;
import io.sandglass.api.secrets.EnvSealer;
import io.sandglass.api.secrets.MasterKey;
import io.sandglass.api.store.AccountStore;
import io.sandglass.api.store.CommandStore;
import io.sandglass.api.store.Database;
import io.sandglass.api.store.EventStore;
import io.sandglass.api.store.ExecutionStore;
import io.sandglass.api.store.IdempotencyStore;
import io.sandglass.api.store.ProjectionStore;
import io.sandglass.api.store.QuotaStore;
import io.sandglass.api.store.SandboxKeyStore;
import io.sandglass.api.store.SandboxStore;
import io.sandglass.api.store.TemplateStore;
import io.sandglass.api.store.UsageStore;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.Principal;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.IntConsumer;
import org.apache.commons.text.StringSubstitutor;
import org.eclipse.jetty.util.component.LifeCycle;
import org.glassfish.jersey.server.ServerProperties;
import org.jdbi.v3.core.Jdbi;

/** The API as a process, or as a part of one. */
public final class ApiApplication extends Application<ApiConfiguration> {
  private static final String DEFAULT_FILE = "/api.yml";
  private static final Set<String> COMMANDS =
      Set.of("server", "check", "rebuild-projection", "verify-projection");

  private final Map<String, String> variables;
  private final LogConnector connector;
  private final PrintStream out;
  private final IntConsumer exit;
  private volatile Bootstrap bootstrap;

  /**
   * @param variables what {@code ${…}} in the configuration means
   */
  public ApiApplication(Map<String, String> variables) {
    this(variables, new KafkaConnector(), System.out, System::exit);
  }

  /**
   * @param connector where the log is
   * @param out what commands print to
   * @param exit ends the process with a command's code, or 1 when it failed
   */
  ApiApplication(
      Map<String, String> variables, LogConnector connector, PrintStream out, IntConsumer exit) {
    this.variables = Map.copyOf(variables);
    this.connector = connector;
    this.out = out;
    this.exit = exit;
  }

  public static void main(String[] args) throws Exception {
    new ApiApplication(System.getenv()).run(args);
  }

  /**
   * {@code [server|check|rebuild-projection|verify-projection] [file.yml]}; without a file, the
   * built-in one.
   */
  @Override
  public void run(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of(arguments));
    if (all.isEmpty() || !COMMANDS.contains(all.getFirst())) {
      all.addFirst("server");
    }
    if (all.size() == 1) {
      all.add(DEFAULT_FILE);
    }
    super.run(all.toArray(String[]::new));
  }

  /** What failed has been printed. */
  @Override
  protected void onFatalError(Throwable failure) {
    exit.accept(1);
  }

  @Override
  public String getName() {
    return "sandglass-api";
  }

  @Override
  public void initialize(io.dropwizard.core.setup.Bootstrap<ApiConfiguration> setup) {
    StringSubstitutor substitutor =
        new StringSubstitutor(variables)
            .setEnableSubstitutionInVariables(true)
            .setEnableUndefinedVariableException(true);
    setup.setConfigurationSourceProvider(
        new SubstitutingSourceProvider(builtInOrFile(), substitutor));
    setup.addCommand(new RebuildProjection(out));
    setup.addCommand(new VerifyProjection(out, exit));
  }

  /** For whoever starts the application: to make the first organization. Null before it runs. */
  public Bootstrap bootstrap() {
    return bootstrap;
  }

  @Override
  public void run(ApiConfiguration configuration, Environment environment) throws IOException {
    InstantSource clock = InstantSource.system();
    SecureRandom random = new SecureRandom();
    Ids ids = new Ids(clock, random);

    ManagedDataSource dataSource =
        configuration.database().build(environment.metrics(), "database");
    Database.migrate(dataSource);
    Jdbi jdbi =
        new JdbiFactory().build(environment, configuration.database(), dataSource, "database");
    SandboxStore sandboxStore = new SandboxStore(jdbi);
    CommandStore commandStore = new CommandStore(jdbi);
    IdempotencyStore idempotencyStore = new IdempotencyStore(jdbi);
    SandboxKeyStore keyStore = new SandboxKeyStore(jdbi);
    Progress progress = new Progress(sandboxStore);
    EventStore eventStore = new EventStore(jdbi, ProjectionReader.EVENTS);
    History history = new History(eventStore);
    environment.lifecycle().addEventListener(new Stopping(history::close));
    MasterKey master = masterKey(configuration, random);
    ScheduledExecutorService timer =
        environment
            .lifecycle()
            .scheduledExecutorService("api-timer-%d", true)
            .threads(1)
            .removeOnCancelPolicy(true)
            .build();
    String version = version();
    WebhookParts webhooks =
        WebhookParts.assemble(
            configuration.webhooks(),
            environment,
            jdbi,
            eventStore,
            master,
            timer,
            random,
            ids,
            clock,
            version);

    LogConnector.Connection log =
        connector.connect(
            configuration,
            environment.lifecycle(),
            new ProjectionStore(jdbi),
            changed -> {
              progress.changed(changed);
              history.changed();
              webhooks.dispatcher().changed();
            },
            clock,
            ids);
    CommandLog commandLog = log.commands();
    Nodes nodes = log.nodes();
    AheadPlane ahead = new AheadPlane(configuration.dataPlaneKey());

    EnvSealer sealer = new EnvSealer(master, keyStore, clock);
    Accounts accounts = new Accounts(new AccountStore(jdbi), master.pepper(), ids, clock);
    bootstrap = new Bootstrap(accounts);
    TemplateStore templateStore = new TemplateStore(jdbi);
    Catalog catalog =
        new Catalog(configuration.templates(), configuration.sizes(), templateStore, nodes);
    Templates templates =
        new Templates(log.templates(templateStore), templateStore, catalog, sealer, ids, clock);
    QuotaStore quotaStore = new QuotaStore(jdbi);
    Quotas quotas = new Quotas(quotaStore, configuration.quota(), clock);
    Sandboxes sandboxes =
        new Sandboxes(
            commandLog,
            sandboxStore,
            eventStore,
            commandStore,
            progress,
            sealer,
            quotas,
            new Claims(nodes, ahead),
            ids,
            clock,
            configuration.patience());
    Waking waking = new Waking(commandLog, progress, nodes, ahead, ids);
    DataPlane dataPlane = new DataPlane(configuration.dataPlaneKey());
    Executions executions =
        new Executions(commandLog, waking, sandboxStore, nodes, dataPlane, sealer, ids);
    Detached detached =
        new Detached(
            commandLog,
            waking,
            new ExecutionStore(jdbi),
            sandboxStore,
            nodes,
            dataPlane,
            executions,
            progress,
            ids,
            clock,
            configuration.patience());
    Files files =
        new Files(
            executions, waking, nodes, new FilePlane(timer, configuration.dataPlaneKey()), ids);
    Housekeeping.start(
        timer,
        clock,
        commandStore,
        idempotencyStore,
        keyStore,
        webhooks.deliveries(),
        quotaStore,
        () -> log.missing().isEmpty());

    JsonBodies bodies = new JsonBodies();
    Idempotency idempotency =
        new Idempotency(idempotencyStore, master, environment.getObjectMapper(), clock);
    serve(configuration, environment, new RequestIds(ids));
    authenticate(
        environment,
        new Access(
            accounts,
            AdminKey.of(configuration.adminKey(), master.pepper()),
            inFlight(configuration, environment)));
    environment
        .jersey()
        .register(
            new AuditedRefusals(
                new Refusals(
                    commandLog, sandboxStore, configuration.refusalsPerHour(), ids, clock)));
    List.of(
            new SandboxesResource(
                sandboxes, catalog, templates, bodies, idempotency, new CreateRate(quotas)),
            new ExecutionsResource(executions, detached, bodies, idempotency, clock),
            new ExecutionRecordsResource(detached, clock),
            new FilesResource(files, idempotency),
            new CommandsResource(commandStore),
            new TemplatesResource(
                templates,
                catalog,
                nodes,
                new BuildLogs(configuration.dataPlaneKey()),
                bodies,
                idempotency),
            new CatalogResource(catalog),
            new PoolsResource(catalog),
            new HistoryResource(history, accounts, environment.getObjectMapper()),
            new UsageResource(new UsageStore(jdbi)),
            new WebhooksResource(webhooks.webhooks(), bodies, idempotency),
            new AdminResource(accounts, bodies, idempotency, clock),
            new QuotaResource(accounts, quotas, bodies),
            new OperationsResource(readiness(jdbi, log), version),
            new DocsResource())
        .forEach(environment.jersey()::register);
  }

  private static void serve(
      ApiConfiguration configuration, Environment environment, RequestIds requestIds) {
    if (configuration.getServerFactory() instanceof AbstractServerFactory server) {
      server.setRegisterDefaultExceptionMappers(false);
    }
    rememberNoHeaders(configuration.getServerFactory());
    JettyProblems problems = new JettyProblems(environment.getObjectMapper(), requestIds);
    environment.getApplicationContext().setErrorHandler(problems);
    environment.lifecycle().addServerLifecycleListener(server -> server.setErrorHandler(problems));
    environment
        .servlets()
        .addFilter("request-id", requestIds)
        .addMappingForUrlPatterns(
            java.util.EnumSet.of(jakarta.servlet.DispatcherType.REQUEST), false, "/*");
    Metrics.serve(environment);
    environment.jersey().property(ServerProperties.WADL_FEATURE_DISABLE, true);
    // What streams is sent when it says so; what does not, Jetty gives its length.
    environment.jersey().property(ServerProperties.OUTBOUND_CONTENT_LENGTH_BUFFER, 0);
    environment
        .getObjectMapper()
        .getFactory()
        .disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    environment
        .jersey()
        .property(ServerProperties.LOCATION_HEADER_RELATIVE_URI_RESOLUTION_DISABLED, true);
    environment.jersey().register(new ThrowableMapper());
    environment.jersey().register(new EncodedBodies());
    environment.jersey().register(new UnreadBodies());
  }

  /**
   * Jetty remembers the header fields of a connection to parse the next ones faster, and takes the
   * beginning of one for that of another that differs in case: keys and idempotency keys do.
   */
  private static void rememberNoHeaders(ServerFactory server) {
    if (server instanceof DefaultServerFactory connectors) {
      for (ConnectorFactory connector : connectors.getApplicationConnectors()) {
        if (connector instanceof HttpConnectorFactory http) {
          http.setHeaderCacheSize(DataSize.bytes(0));
        }
      }
    }
  }

  private static InFlight inFlight(ApiConfiguration configuration, Environment environment) {
    InFlight inFlight = new InFlight(configuration.requestsInFlight());
    var filter = environment.servlets().addFilter("in-flight", inFlight);
    filter.addMappingForUrlPatterns(
        java.util.EnumSet.of(jakarta.servlet.DispatcherType.REQUEST), true, "/*");
    return inFlight;
  }

  private static void authenticate(Environment environment, Access access) {
    environment.jersey().register(access);
    environment
        .jersey()
        .register(
            new PolymorphicAuthValueFactoryProvider.Binder<Principal>(
                Set.of(Caller.class, Administrator.class)));
  }

  private static Readiness readiness(Jdbi jdbi, LogConnector.Connection log) {
    return () -> {
      List<String> missing = new ArrayList<>();
      try {
        jdbi.useHandle(handle -> handle.execute("SELECT 1"));
      } catch (RuntimeException e) {
        missing.add("the database cannot be reached");
      }
      missing.addAll(log.missing());
      return missing;
    };
  }

  private static MasterKey masterKey(ApiConfiguration configuration, SecureRandom random)
      throws IOException {
    return configuration.masterKey().isEmpty()
        ? MasterKey.inFile(Path.of(configuration.dataDirectory(), "master.key"), random)
        : MasterKey.of(configuration.masterKey());
  }

  private static ConfigurationSourceProvider builtInOrFile() {
    FileConfigurationSourceProvider files = new FileConfigurationSourceProvider();
    return path ->
        path.equals(DEFAULT_FILE)
            ? ApiApplication.class.getResourceAsStream(DEFAULT_FILE)
            : files.open(path);
  }

  private static String version() throws IOException {
    try (InputStream in = ApiApplication.class.getResourceAsStream("version.properties")) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    }
  }

  /** Told when the server begins to stop, before it waits for the requests under way. */
  private record Stopping(Runnable then) implements LifeCycle.Listener {
    @Override
    public void lifeCycleStopping(LifeCycle event) {
      then.run();
    }
  }
}
