package io.sandglass.executor.template;

import io.sandglass.executor.runtime.ImageBuilder;
import io.sandglass.executor.runtime.ImageBuilder.Built;
import io.sandglass.executor.runtime.ImageBuilder.Job;
import io.sandglass.executor.runtime.ImageBuilder.Outcome;
import io.sandglass.executor.template.Build.State;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this node's images of templates as the log wants them: builds those that are missing, one
 * at a time, and removes those that nobody defines and nothing uses any longer. It compares what is
 * there with what is wanted, so whatever was broken off is done again.
 */
public final class Builds {
  private static final Logger LOG = LoggerFactory.getLogger(Builds.class);
  private static final Duration TELLING = Duration.ofSeconds(30);
  private static final Duration STOPPING = Duration.ofSeconds(15);

  private final ImageBuilder builder;
  private final BuildLogs logs;
  private final BuildReports reports;
  private final Duration every;

  /** What the log will say once it has what it was told. */
  private final Map<String, Build> told = new HashMap<>();

  /** Released when there is something to look at. */
  private final Semaphore changed = new Semaphore(0);

  private volatile Optional<Templates> wanted = Optional.empty();
  private volatile boolean stopped;
  private Optional<Thread> thread = Optional.empty();

  /**
   * @param every between two looks, when nothing is heard
   */
  public Builds(ImageBuilder builder, BuildLogs logs, BuildReports reports, Duration every) {
    this.builder = builder;
    this.logs = logs;
    this.reports = reports;
    this.every = every;
  }

  public void start() {
    thread = Optional.of(Thread.ofVirtual().name("builds").start(this::run));
  }

  /** A build under way is given up. */
  public void stop() throws InterruptedException {
    stopped = true;
    wake();
    if (thread.isPresent()) {
      thread.get().join(STOPPING);
    }
  }

  /** All templates, whenever one has changed. */
  public void take(Templates now) {
    wanted = Optional.of(now);
    wake();
  }

  private void wake() {
    changed.release();
  }

  private void run() {
    boolean cleared = false;
    while (!stopped) {
      try {
        Optional<Templates> now = await();
        if (!cleared) {
          builder.clear();
          cleared = true;
        }
        if (now.isPresent() && !stopped) {
          look(now.get());
        }
      } catch (RuntimeException | IOException | ExecutionException e) {
        LOG.warn("builds can't go on, and are looked at again: {}", e.toString());
      } catch (TimeoutException e) {
        LOG.warn("the log has not taken how far a build is, and is told again");
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Until something has changed, or for some time. */
  private Optional<Templates> await() throws InterruptedException {
    if (changed.tryAcquire(every.toMillis(), TimeUnit.MILLISECONDS)) {
      changed.drainPermits();
    }
    return wanted;
  }

  private void look(Templates now)
      throws IOException, ExecutionException, TimeoutException, InterruptedException {
    List<Template> mine = now.defined().stream().filter(t -> t.dockerfile().isPresent()).toList();
    List<Built> built = builder.built();
    removeOthers(mine, built);
    forgetOthers(now, mine);
    Map<String, String> there =
        built.stream().collect(Collectors.toMap(Built::image, Built::revision, (one, _) -> one));
    for (Template template : mine) {
      Optional<Build> said =
          Optional.ofNullable(told.getOrDefault(template.id(), now.builds().get(template.id())))
              .filter(build -> build.revision().equals(template.revision()));
      if (template.revision().equals(there.get(template.image()))) {
        if (said.filter(build -> build.state() == State.READY).isEmpty()) {
          tell(template, State.READY, Optional.empty());
        }
      } else if (said.filter(build -> build.state() == State.FAILED).isEmpty()) {
        build(template);
        wake(); // while it was built, others may have been defined or deleted
        return;
      }
    }
  }

  private void removeOthers(List<Template> mine, List<Built> there) throws IOException {
    Set<String> images = mine.stream().map(Template::image).collect(Collectors.toSet());
    for (Built built : there) {
      if (!images.contains(built.image()) && builder.remove(built.image())) {
        LOG.info("image={} removed", built.image());
      }
    }
    logs.keep(mine.stream().map(Template::revision).collect(Collectors.toSet()));
  }

  private void forgetOthers(Templates now, List<Template> mine)
      throws ExecutionException, TimeoutException, InterruptedException {
    Set<String> ids = mine.stream().map(Template::id).collect(Collectors.toSet());
    told.keySet().retainAll(ids);
    for (String id : now.builds().keySet()) {
      if (!ids.contains(id)) {
        reports.forget(id).get(TELLING.toMillis(), TimeUnit.MILLISECONDS);
      }
    }
  }

  private void build(Template template)
      throws IOException, ExecutionException, TimeoutException, InterruptedException {
    LOG.info(
        "template={} revision={} image={} builds",
        template.id(),
        template.revision(),
        template.image());
    try (BuildLogs.Writing log = logs.begin(template.revision())) {
      tell(template, State.BUILDING, Optional.empty());
      switch (build(template, log)) {
        case Outcome.Done() -> {
          log.end("Done.");
          tell(template, State.READY, Optional.empty());
        }
        case Outcome.Failed(String why) -> {
          log.end("Failed: " + why);
          tell(template, State.FAILED, Optional.of(why));
        }
        case Outcome.Abandoned() -> log.end("Given up: it is no longer wanted.");
      }
    }
  }

  private Outcome build(Template template, BuildLogs.Writing log) {
    try {
      Job job =
          new Job(
              template.image(),
              template.revision(),
              Dockerfile.read(template.dockerfile().orElseThrow()));
      return builder.build(job, log, () -> stopped || !isWanted(template));
    } catch (DockerfileException e) {
      return new Outcome.Failed(e.getMessage());
    }
  }

  private boolean isWanted(Template template) {
    return wanted.filter(now -> now.defined().contains(template)).isPresent();
  }

  private void tell(Template template, State state, Optional<String> error)
      throws ExecutionException, TimeoutException, InterruptedException {
    Build build = new Build(template.id(), template.revision(), state, error);
    reports.tell(build).get(TELLING.toMillis(), TimeUnit.MILLISECONDS);
    told.put(template.id(), build);
    LOG.info(
        "template={} revision={} state={} error=\"{}\"",
        template.id(),
        template.revision(),
        state.text(),
        error.orElse(""));
  }
}
