package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.command.ListContainersCmd;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.exception.NotModifiedException;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.Info;
import com.github.dockerjava.core.DefaultDockerClientConfig;
import com.github.dockerjava.core.DockerClientImpl;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import io.sandglass.executor.network.Range;
import io.sandglass.executor.runtime.Change;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.Creation;
import io.sandglass.executor.runtime.DiskUse;
import io.sandglass.executor.runtime.FoundContainer;
import io.sandglass.executor.runtime.FoundContainer.Exit;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeHost;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Containers of a Docker Engine (20.10 and later).
 *
 * <p>The API's version is not pinned: requests go unversioned and the Engine answers in its own.
 * What the Engine answers to a repeated request differs by operation and version (304, 404, 409 and
 * even 500), so whatever is not a plain success is settled by looking at the container.
 */
public final class DockerRuntime implements ContainerRuntime, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(DockerRuntime.class);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration REMOVAL_PATIENCE = Duration.ofSeconds(30);

  /** With a {@link #POLL} between them: the Engine reserves a name before it shows whose. */
  private static final int CREATE_ATTEMPTS = 100;

  private final DockerClient docker;
  private final DockerSettings settings;
  private final ContainerRequest request;
  private final BridgeNetwork bridge;
  private final NetworkHolders holders;
  private final DiskMeter meter;
  private final Freezer freezer;

  /** Container ids of those that stand still by their group and run by the Engine's word. */
  private final Map<Life, String> frozen = new ConcurrentHashMap<>();

  public DockerRuntime(DockerSettings settings) {
    this.settings = settings;
    this.docker = client(settings, settings.timeout());
    this.bridge = new BridgeNetwork(docker, settings);
    this.holders = new NetworkHolders(docker, settings, bridge);
    this.request = new ContainerRequest(docker, settings, holders);
    this.meter = new DiskMeter(docker);
    this.freezer = settings.walls().areNative() ? Freezer.ofHost() : Freezer.none();
  }

  /**
   * @param patience with an answer, and with the next piece of one that is streamed
   */
  static DockerClient client(DockerSettings settings, Duration patience) {
    var config =
        DefaultDockerClientConfig.createDefaultConfigBuilder()
            .withDockerHost(settings.host())
            .withDockerTlsVerify(false)
            .build();
    return DockerClientImpl.getInstance(
        config,
        new ZerodepDockerHttpClient.Builder()
            .dockerHost(config.getDockerHost())
            .maxConnections(100)
            .connectionTimeout(settings.timeout())
            .responseTimeout(patience)
            .build());
  }

  /** The network that the sandboxes' addresses are of, made unless it is there. */
  public Range subnet() {
    return call("network " + settings.bridge(), bridge::ensure);
  }

  @Override
  public RuntimeHost host() {
    return call(
        "host",
        () -> {
          Info info = docker.infoCmd().exec();
          return new RuntimeHost(
              info.getServerVersion() + " api " + docker.versionCmd().exec().getApiVersion(),
              info.getNCPU(),
              info.getMemTotal());
        });
  }

  /**
   * What on the host weakens the walls around sandboxes.
   *
   * @throws RuntimeRefusedException when the configured OCI runtime is not there
   */
  public List<Weakness> examine() {
    return call(
        "info",
        () -> {
          Info info = docker.infoCmd().exec();
          String wanted = settings.walls().runtime();
          if (!wanted.isEmpty() && !info.getRuntimes().containsKey(wanted)) {
            throw new RuntimeRefusedException(
                "Docker has no runtime %s, only %s: install it and name it in daemon.json, or change docker.runtime"
                    .formatted(wanted, info.getRuntimes().keySet()),
                null);
          }
          return Doctor.examine(info, settings.host(), settings.walls(), Path.of("/"));
        });
  }

  @Override
  public Creation create(ContainerSpec spec) {
    Life life = spec.life();
    for (int attempt = 1; attempt <= CREATE_ATTEMPTS; attempt++) {
      Optional<Creation> creation = call("create " + life, () -> tryCreate(spec));
      if (creation.isPresent()) {
        return creation.get();
      }
    }
    throw new RuntimeUnavailableException(
        "Docker says that " + life.containerName() + " is taken, yet it is not there", null);
  }

  /** Empty when somebody else's is not there yet, or was on its way out: try again. */
  private Optional<Creation> tryCreate(ContainerSpec spec) {
    try {
      return Optional.of(new Creation.Created(request.create(spec)));
    } catch (NotFoundException e) {
      return Optional.of(new Creation.NoSuchImage(spec.image()));
    } catch (ConflictException e) {
      Optional<FoundContainer> there = find(spec.life());
      if (there.isEmpty()) {
        pollPause(spec.life() + " was created");
      } else if (there.get().phase() == Phase.REMOVING) {
        awaitGone(spec.life());
        return Optional.empty();
      }
      return there.map(Creation.AlreadyThere::new);
    }
  }

  @Override
  public Change start(Life life) {
    return settle(
        "start", life, () -> startJoining(life), Phase.RUNNING, Phase.CREATED, Phase.EXITED);
  }

  private void startJoining(Life life) {
    if (!settings.walls().areNative()) {
      renewNetwork(life);
    }
    try {
      docker.startContainerCmd(life.containerName()).exec();
    } catch (ConflictException | NotFoundException e) {
      // Maybe its network's holder does not run, as after a restart of the host.
      holders.open(find(life).flatMap(FoundContainer::address).orElseThrow(() -> e));
      docker.startContainerCmd(life.containerName()).exec();
    }
  }

  /** If it has run before. */
  private void renewNetwork(Life life) {
    find(life)
        .filter(container -> container.phase() == Phase.EXITED)
        .flatMap(FoundContainer::address)
        .ifPresent(
            address -> {
              holders.close(address);
              holders.open(address);
            });
  }

  @Override
  public void openNetwork(String address) {
    run("open the network of " + address, () -> holders.open(address));
  }

  @Override
  public void closeNetwork(String address) {
    run("close the network of " + address, () -> holders.close(address));
  }

  @Override
  public Map<String, Boolean> networks() {
    return call("networks", holders::all);
  }

  @Override
  public Change freeze(Life life) {
    return settle("freeze", life, () -> hold(life), Phase.FROZEN, Phase.RUNNING);
  }

  private void hold(Life life) {
    Optional<String> held = find(life).map(FoundContainer::containerId).filter(freezer::freeze);
    if (held.isPresent()) {
      frozen.put(life, held.get());
    } else {
      docker.pauseContainerCmd(life.containerName()).exec();
    }
  }

  @Override
  public Change thaw(Life life) {
    return settle("thaw", life, () -> letGo(life), Phase.RUNNING, Phase.FROZEN);
  }

  private void letGo(Life life) {
    String held = frozen.remove(life);
    if (held != null && freezer.thaw(held)) {
      return;
    }
    InspectContainerResponse container = docker.inspectContainerCmd(life.containerName()).exec();
    if (isPaused(container.getState().getStatus()) || !freezer.thaw(container.getId())) {
      docker.unpauseContainerCmd(life.containerName()).exec();
    }
  }

  @Override
  public Change stop(Life life, Duration grace) {
    return settle(
        "stop",
        life,
        () -> {
          if (isFrozen(life)) {
            letGo(life); // or its first process would not hear that it is asked to end
          }
          docker
              .stopContainerCmd(life.containerName())
              .withTimeout(Math.toIntExact(grace.toSeconds()))
              .exec();
        },
        Phase.EXITED,
        Phase.RUNNING,
        Phase.FROZEN);
  }

  /**
   * One after the other: the Engine looks a name up before it takes its locks, and of several
   * renames at once each finds the container, and each succeeds.
   */
  @Override
  public synchronized Change rename(Life from, Life to) {
    return call(
        "rename " + from + " to " + to,
        () -> {
          try {
            docker.renameContainerCmd(from.containerName()).withName(to.containerName()).exec();
            return Change.DONE;
          } catch (NotFoundException e) {
            return isOf(to, from) ? Change.DONE : Change.MISSING;
          }
        });
  }

  private boolean isOf(Life life, Life origin) {
    return find(life).filter(container -> container.origin().equals(origin)).isPresent();
  }

  @Override
  public Change resize(Life life, ContainerSpec.Limits limits) {
    return call(
        "resize " + life,
        () -> {
          try {
            request.resize(life, limits);
            return Change.DONE;
          } catch (NotFoundException e) {
            return Change.MISSING;
          }
        });
  }

  @Override
  public void remove(Life life) {
    frozen.remove(life);
    run(
        "remove " + life,
        () -> {
          try {
            docker
                .removeContainerCmd(life.containerName())
                .withForce(true)
                .withRemoveVolumes(true)
                .exec();
          } catch (NotFoundException e) {
            LOG.debug("life={} was gone already", life);
          } catch (ConflictException e) {
            awaitGone(life); // somebody else is removing it
          }
        });
  }

  private void awaitGone(Life life) {
    long deadline = System.nanoTime() + REMOVAL_PATIENCE.toNanos();
    while (phaseOf(life).isPresent()) {
      if (System.nanoTime() > deadline) {
        throw new RuntimeUnavailableException(life + " is still being removed", null);
      }
      pollPause(life + " was removed");
    }
  }

  private static void pollPause(String what) {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RuntimeUnavailableException("interrupted while " + what, e);
    }
  }

  @Override
  public Optional<FoundContainer> find(Life life) {
    return call(
        "find " + life,
        () -> {
          try {
            return Optional.of(
                found(life, docker.inspectContainerCmd(life.containerName()).exec()));
          } catch (NotFoundException e) {
            return Optional.empty();
          }
        });
  }

  private Optional<Phase> phaseOf(Life life) {
    return find(life).map(FoundContainer::phase);
  }

  private boolean isFrozen(Life life) {
    return phaseOf(life).filter(Phase.FROZEN::equals).isPresent();
  }

  private FoundContainer found(Life life, InspectContainerResponse container) {
    Map<String, String> labels =
        Optional.ofNullable(container.getConfig().getLabels()).orElse(Map.of());
    if (!settings.nodeId().equals(labels.get(Labels.NODE))) {
      throw new RuntimeRefusedException(
          "The container " + life.containerName() + " is not this node's", null);
    }
    var state = container.getState();
    Phase phase = phase(life, container.getId(), String.valueOf(state.getStatus()));
    Optional<Exit> exit =
        phase != Phase.EXITED
            ? Optional.empty()
            : Optional.of(
                new Exit(
                    Math.toIntExact(Optional.ofNullable(state.getExitCodeLong()).orElse(-1L)),
                    Boolean.TRUE.equals(state.getOOMKilled()),
                    instant(state.getFinishedAt())));
    return new FoundContainer(
        life,
        Labels.origin(labels, life),
        labels.getOrDefault(Labels.ORG, ""),
        ContainerRequest.limits(container.getHostConfig()),
        container.getId(),
        container.getImageId(),
        Optional.ofNullable(labels.get(Labels.ADDRESS)),
        phase,
        exit);
  }

  @Override
  public List<FoundContainer> list() {
    return list(own());
  }

  @Override
  public List<FoundContainer> list(String sandboxId) {
    String name = "^/?sbx-" + Pattern.quote(sandboxId) + "-[0-9]+$";
    return list(own().withNameFilter(List.of(name))).stream()
        .filter(container -> container.life().sandboxId().equals(sandboxId))
        .toList();
  }

  private ListContainersCmd own() {
    return docker
        .listContainersCmd()
        .withShowAll(true)
        .withLabelFilter(Map.of(Labels.NODE, settings.nodeId()));
  }

  private List<FoundContainer> list(ListContainersCmd containers) {
    return call("list", () -> containers.exec().stream().flatMap(this::listed).toList());
  }

  private Stream<FoundContainer> listed(Container container) {
    Map<String, String> labels = container.getLabels();
    return Arrays.stream(container.getNames())
        .flatMap(name -> Life.named(name.substring(1)).stream()) // after a slash
        .limit(1)
        .map(
            life ->
                new FoundContainer(
                    life,
                    Labels.origin(labels, life),
                    labels.getOrDefault(Labels.ORG, ""),
                    ContainerSpec.Limits.NONE,
                    container.getId(),
                    container.getImageId(),
                    Optional.ofNullable(labels.get(Labels.ADDRESS)),
                    phase(life, container.getId(), String.valueOf(container.getState())),
                    Optional.empty()));
  }

  /**
   * The Engine's word, except on whether it stands still, which the Engine learns of one held by
   * its group only when it is restarted. What it does not know how to put is over as far as we are
   * concerned.
   */
  private Phase phase(Life life, String containerId, String status) {
    if (isPaused(status)) {
      frozen.remove(life); // so that the Engine hears of the thaw
    }
    return switch (status) {
      case "created" -> Phase.CREATED;
      case "running", "restarting", "paused" ->
          freezer.isFrozen(containerId).orElse(isPaused(status)) ? Phase.FROZEN : Phase.RUNNING;
      case "removing" -> Phase.REMOVING;
      default -> Phase.EXITED;
    };
  }

  private static boolean isPaused(String status) {
    return status.equals("paused");
  }

  private static Instant instant(String time) {
    try {
      return Instant.parse(time);
    } catch (DateTimeParseException | NullPointerException e) {
      return Instant.EPOCH;
    }
  }

  @Override
  public Optional<DiskUse> disk(Life life) {
    return call("size of " + life, () -> meter.of(life.containerName()));
  }

  @Override
  public Optional<DiskUse> storage() {
    return call("storage", meter::storage);
  }

  @Override
  public Optional<String> imageId(String image) {
    return call(
        "image " + image,
        () -> {
          try {
            return Optional.of(docker.inspectImageCmd(image).exec().getId());
          } catch (NotFoundException e) {
            return Optional.empty();
          }
        });
  }

  @Override
  public List<String> images() {
    return call(
        "images",
        () ->
            docker.listImagesCmd().exec().stream()
                .flatMap(
                    image -> Arrays.stream(Optional.ofNullable(image.getRepoTags()).orElse(NO_TAG)))
                .filter(tag -> !tag.equals("<none>:<none>"))
                .filter(tag -> !tag.startsWith(NetworkHolders.REPOSITORY + ":"))
                .sorted()
                .toList());
  }

  private static final String[] NO_TAG = {};

  @Override
  public AutoCloseable subscribe(Runnable hint) {
    return new EventSubscription(docker, settings.nodeId(), hint);
  }

  @Override
  public void close() throws IOException {
    docker.close();
  }

  /**
   * Runs {@code change}; when the Engine objects, the container's phase decides: in one of {@code
   * from} the change has failed; in {@code to} it had happened before; in any other it does not
   * apply.
   */
  private Change settle(String operation, Life life, Runnable change, Phase to, Phase... from) {
    return call(
        operation + " " + life,
        () -> {
          try {
            change.run();
            return Change.DONE;
          } catch (NotModifiedException e) {
            // "It runs" is also said of one that is held by its group.
            return isFrozen(life) ? Change.MISSING : Change.DONE;
          } catch (DockerException e) {
            Phase phase = phaseOf(life).orElse(Phase.REMOVING);
            if (Arrays.asList(from).contains(phase)) {
              throw e;
            }
            return phase == to ? Change.DONE : Change.MISSING;
          }
        });
  }

  private static void run(String what, Runnable call) {
    call(
        what,
        () -> {
          call.run();
          return null;
        });
  }

  /** Tells passing failures from lasting ones: below 500 the Engine has understood and refused. */
  private static <T> T call(String what, Supplier<T> call) {
    try {
      return call.get();
    } catch (RuntimeUnavailableException | RuntimeRefusedException e) {
      throw e;
    } catch (DockerException e) {
      String message = "Docker: " + what + ": " + String.valueOf(e.getMessage()).strip();
      if (e.getHttpStatus() >= 500) {
        throw new RuntimeUnavailableException(message, e);
      }
      throw new RuntimeRefusedException(message, e);
    } catch (RuntimeException e) {
      throw new RuntimeUnavailableException("Docker: " + what + ": " + e.getMessage(), e);
    }
  }
}
