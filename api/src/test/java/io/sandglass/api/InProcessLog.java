package io.sandglass.api;

import io.dropwizard.lifecycle.setup.LifecycleEnvironment;
import io.sandglass.api.control.CommandLog;
import io.sandglass.api.control.LogUnavailableException;
import io.sandglass.api.control.Nodes;
import io.sandglass.api.control.Origin;
import io.sandglass.api.control.TemplateLog;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.CommandResult;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Pool;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.TemplateBuild;
import io.sandglass.api.domain.TemplateDefinition;
import io.sandglass.api.domain.Usage;
import io.sandglass.api.kafka.ProjectionReader;
import io.sandglass.api.store.LogBatch;
import io.sandglass.api.store.LogEntry;
import io.sandglass.api.store.ProjectionStore;
import io.sandglass.api.store.TemplateStore;
import java.net.URI;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/** A log without Kafka: what is decided goes through the real projection at once. */
final class InProcessLog
    implements LogConnector, LogConnector.Connection, CommandLog, Nodes, TemplateLog {
  static final String IMAGE = "example/tool:1";

  /** How the log takes what it is given. */
  enum Mood {
    WORKING,
    /** Nothing gets in. */
    DOWN,
    /** Nobody knows whether it got in. */
    SILENT,
    /** It gets in; the decision comes later, with {@code decideNow}. */
    SLOW
  }

  private final EngineStandIn engine = new EngineStandIn();
  private final List<Command> commands = new CopyOnWriteArrayList<>();
  private final List<Command> undecided = new ArrayList<>();
  private final List<String> templateRecords = new CopyOnWriteArrayList<>();
  private ProjectionStore projection;
  private TemplateStore templates;
  private ProjectionReader.Listener listener;
  private long offset;
  private volatile Mood mood = Mood.WORKING;
  private volatile Runnable beforeDurable = () -> {};
  private volatile List<Pool> pools = List.of();
  private volatile URI dataPlane = URI.create("http://127.0.0.1:9");

  @Override
  public Connection connect(
      ApiConfiguration configuration,
      LifecycleEnvironment lifecycle,
      ProjectionStore store,
      ProjectionReader.Listener toTell,
      InstantSource clock,
      Ids ids) {
    projection = store;
    listener = toTell;
    return this;
  }

  EngineStandIn engine() {
    return engine;
  }

  @Override
  public TemplateLog templates(TemplateStore store) {
    templates = store;
    return this;
  }

  /** As a node tells it. */
  void built(TemplateBuild build) {
    templates.built(build, offset++);
  }

  List<String> templateRecords() {
    return templateRecords;
  }

  @Override
  public long define(TemplateDefinition definition, Origin origin) {
    refuse();
    templateRecords.add(definition.toString());
    return offset++;
  }

  @Override
  public long delete(String templateId) {
    refuse();
    templateRecords.add("deleted " + templateId);
    return offset++;
  }

  List<Command> received() {
    return commands;
  }

  void mood(Mood next) {
    mood = next;
  }

  /** What happens until a command that nobody waits for is known to be durable. */
  void beforeDurable(Runnable wait) {
    beforeDurable = wait;
  }

  /** What the nodes say from now on. */
  void pools(Pool... said) {
    pools = List.of(said);
  }

  void dataPlane(URI url) {
    dataPlane = url;
  }

  @Override
  public synchronized Asked ask(Command... all) {
    for (int i = 0; i < all.length - 1; i++) {
      append(all[i]);
    }
    refuse();
    Command last = all[all.length - 1];
    commands.add(last);
    Decision decision;
    if (mood == Mood.SLOW) {
      undecided.add(last);
      decision = new Decision.Undecided();
    } else {
      decision = process(last);
    }
    return new Asked() {
      @Override
      public void awaitDurable() {}

      @Override
      public Decision decision() {
        return decision;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public synchronized Sent send(Command command) {
    if (mood == Mood.SILENT) {
      return () -> {
        throw new LogUnavailableException("silent", true, null);
      };
    }
    refuse();
    commands.add(command);
    var _ = process(command);
    AtomicReference<Runnable> before = new AtomicReference<>(beforeDurable);
    return () -> before.getAndSet(() -> {}).run();
  }

  synchronized void decideNow() {
    undecided.forEach(this::process);
    undecided.clear();
  }

  synchronized void happened(List<SandboxEvent> events) {
    project(events.stream().<LogEntry>map(LogEntry.Happened::new).toList());
  }

  synchronized void used(Usage... usage) {
    project(Stream.of(usage).<LogEntry>map(LogEntry.Used::new).toList());
  }

  private Decision process(Command command) {
    EngineStandIn.Result result = engine.handle(command);
    List<LogEntry> entries = new ArrayList<>();
    result.events().forEach(event -> entries.add(new LogEntry.Happened(event)));
    Command.Header header = command.header();
    entries.add(
        new LogEntry.Decided(
            new CommandResult(
                header.commandId(),
                header.sandboxId(),
                header.orgId(),
                result.decision(),
                Instant.ofEpochMilli(System.currentTimeMillis()))));
    project(entries);
    return result.decision();
  }

  private void project(List<LogEntry> entries) {
    List<LogBatch.Read> reads = new ArrayList<>();
    for (LogEntry entry : entries) {
      reads.add(new LogBatch.Read(offset++, entry));
    }
    listener.changed(
        projection.apply(List.of(new LogBatch(ProjectionReader.EVENTS, 0, reads, offset))));
  }

  private void refuse() {
    switch (mood) {
      case DOWN -> throw new LogUnavailableException("down", false, null);
      case SILENT -> throw new LogUnavailableException("silent", true, null);
      case WORKING, SLOW -> {}
    }
  }

  @Override
  public boolean ready() {
    return mood == Mood.WORKING;
  }

  @Override
  public CommandLog commands() {
    return this;
  }

  @Override
  public Nodes nodes() {
    return this;
  }

  @Override
  public List<String> missing() {
    return ready() ? List.of() : List.of("outcomes are not heard");
  }

  @Override
  public Optional<URI> dataPlane(String nodeId) {
    return Optional.of(dataPlane);
  }

  @Override
  public List<Pool> pools() {
    return pools;
  }

  @Override
  public boolean anyReady() {
    return true;
  }

  @Override
  public Set<String> images() {
    return Set.of("sandglass/base:0.1.0", "sandglass/python:0.1.0", "sandglass/node:0.1.0", IMAGE);
  }
}
