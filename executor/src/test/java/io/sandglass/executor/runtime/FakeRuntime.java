package io.sandglass.executor.runtime;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.FoundContainer.Exit;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Containers that exist in memory alone; fails when it is told to. */
public final class FakeRuntime implements ContainerRuntime {
  private final Map<Life, FoundContainer> containers = new LinkedHashMap<>();
  private final Map<String, String> images = new HashMap<>();
  private final Map<String, Boolean> networks = new TreeMap<>();
  private final Map<Life, DiskUse> written = new HashMap<>();
  private final List<Runnable> hints = new CopyOnWriteArrayList<>();
  private Consumer<String> beforeEach = operation -> {};
  private Consumer<FoundContainer> onStart = container -> {};
  private int created;

  public FakeRuntime(String... images) {
    for (String image : images) {
      tag(image, "id of " + image);
    }
  }

  /** Has a reference mean another image. */
  public synchronized void tag(String image, String id) {
    images.put(image, id);
    hints.forEach(Runnable::run);
  }

  /** Called before every operation with its name; may throw, block, or change things. */
  public synchronized void beforeEach(Consumer<String> interference) {
    beforeEach = interference;
  }

  /** Called when a container's first process begins to run. */
  public synchronized void onStart(Consumer<FoundContainer> observer) {
    onStart = observer;
  }

  private void before(String operation) {
    Consumer<String> interference;
    synchronized (this) {
      interference = beforeEach;
    }
    interference.accept(operation);
  }

  @Override
  public RuntimeHost host() {
    before("host");
    return new RuntimeHost("fake", 2, 8L << 30);
  }

  @Override
  public Creation create(ContainerSpec spec) {
    before("create");
    synchronized (this) {
      FoundContainer there = containers.get(spec.life());
      if (there != null) {
        return new Creation.AlreadyThere(there);
      }
      if (!images.containsKey(spec.image())) {
        return new Creation.NoSuchImage(spec.image());
      }
      String id = "c" + ++created;
      containers.put(
          spec.life(),
          new FoundContainer(
              spec.life(),
              spec.life(),
              spec.orgId(),
              spec.limits(),
              id,
              images.get(spec.image()),
              Optional.of(spec.address()),
              Phase.CREATED,
              Optional.empty()));
      return new Creation.Created(id);
    }
  }

  @Override
  public void openNetwork(String address) {
    before("openNetwork");
    synchronized (this) {
      networks.put(address, true);
    }
  }

  @Override
  public void closeNetwork(String address) {
    before("closeNetwork");
    synchronized (this) {
      networks.remove(address);
    }
  }

  @Override
  public Map<String, Boolean> networks() {
    before("networks");
    synchronized (this) {
      return Map.copyOf(networks);
    }
  }

  /** Somebody ends what holds a namespace. */
  public synchronized void disconnect(String address) {
    networks.replace(address, false);
  }

  @Override
  public Change start(Life life) {
    before("start");
    synchronized (this) {
      return switch (phase(life)) {
        case CREATED, EXITED -> {
          containers.get(life).address().ifPresent(address -> networks.put(address, true));
          enter(life, Phase.RUNNING, Optional.empty());
          onStart.accept(containers.get(life));
          yield Change.DONE;
        }
        case RUNNING -> Change.DONE;
        case FROZEN, REMOVING -> Change.MISSING;
      };
    }
  }

  @Override
  public Change freeze(Life life) {
    before("freeze");
    synchronized (this) {
      return switch (phase(life)) {
        case RUNNING -> {
          enter(life, Phase.FROZEN, Optional.empty());
          yield Change.DONE;
        }
        case FROZEN -> Change.DONE;
        case CREATED, EXITED, REMOVING -> Change.MISSING;
      };
    }
  }

  @Override
  public Change thaw(Life life) {
    before("thaw");
    synchronized (this) {
      return switch (phase(life)) {
        case FROZEN -> {
          enter(life, Phase.RUNNING, Optional.empty());
          yield Change.DONE;
        }
        case RUNNING -> Change.DONE;
        case CREATED, EXITED, REMOVING -> Change.MISSING;
      };
    }
  }

  @Override
  public Change stop(Life life, Duration grace) {
    before("stop");
    synchronized (this) {
      return switch (phase(life)) {
        case RUNNING, FROZEN -> {
          exit(life, 0, false);
          yield Change.DONE;
        }
        case EXITED -> Change.DONE;
        case CREATED, REMOVING -> Change.MISSING;
      };
    }
  }

  @Override
  public Change rename(Life from, Life to) {
    before("rename");
    synchronized (this) {
      FoundContainer there = containers.get(to);
      if (!containers.containsKey(from)) {
        return there != null && there.origin().equals(from) ? Change.DONE : Change.MISSING;
      }
      if (there != null) {
        throw new RuntimeRefusedException(to + " has a container", null);
      }
      FoundContainer old = containers.remove(from);
      containers.put(to, with(old, to, old.limits(), old.phase(), old.exit()));
      return Change.DONE;
    }
  }

  @Override
  public Change resize(Life life, Limits limits) {
    before("resize");
    synchronized (this) {
      FoundContainer old = containers.get(life);
      if (old == null) {
        return Change.MISSING;
      }
      containers.put(life, with(old, life, limits, old.phase(), old.exit()));
      return Change.DONE;
    }
  }

  @Override
  public void remove(Life life) {
    before("remove");
    synchronized (this) {
      containers.remove(life);
    }
  }

  @Override
  public Optional<FoundContainer> find(Life life) {
    before("find");
    synchronized (this) {
      return Optional.ofNullable(containers.get(life));
    }
  }

  @Override
  public List<FoundContainer> list() {
    before("list");
    synchronized (this) {
      return containers.values().stream().map(FakeRuntime::listed).toList();
    }
  }

  @Override
  public List<FoundContainer> list(String sandboxId) {
    before("list");
    synchronized (this) {
      return containers.values().stream()
          .filter(container -> container.life().sandboxId().equals(sandboxId))
          .map(FakeRuntime::listed)
          .toList();
    }
  }

  @Override
  public Optional<DiskUse> disk(Life life) {
    before("disk");
    synchronized (this) {
      return containers.containsKey(life)
          ? Optional.of(written.getOrDefault(life, DiskUse.NOTHING))
          : Optional.empty();
    }
  }

  @Override
  public Optional<DiskUse> storage() {
    before("storage");
    synchronized (this) {
      return Optional.of(written.values().stream().reduce(DiskUse.NOTHING, DiskUse::plus));
    }
  }

  /** Has a container's files be these. */
  public synchronized void write(Life life, DiskUse use) {
    written.put(life, use);
  }

  @Override
  public Optional<String> imageId(String image) {
    before("image");
    synchronized (this) {
      return Optional.ofNullable(images.get(image));
    }
  }

  @Override
  public List<String> images() {
    before("images");
    synchronized (this) {
      return images.keySet().stream().sorted().toList();
    }
  }

  @Override
  public AutoCloseable subscribe(Runnable hint) {
    hints.add(hint);
    return () -> hints.remove(hint);
  }

  /** The first process ends by itself. */
  public synchronized void exit(Life life, int code, boolean oomKilled) {
    enter(
        life,
        Phase.EXITED,
        Optional.of(new Exit(code, oomKilled, Instant.ofEpochMilli(System.currentTimeMillis()))));
    hints.forEach(Runnable::run);
  }

  /** Everything that is there, in no particular order. */
  public synchronized List<FoundContainer> all() {
    return new ArrayList<>(containers.values());
  }

  /** Whether a container that was made as this life's is running, whoever has it now. */
  public synchronized boolean isRunning(Life origin) {
    return containers.values().stream()
        .anyMatch(c -> c.origin().equals(origin) && c.phase() == Phase.RUNNING);
  }

  private Phase phase(Life life) {
    FoundContainer container = containers.get(life);
    return container == null ? Phase.REMOVING : container.phase();
  }

  private void enter(Life life, Phase phase, Optional<Exit> exit) {
    FoundContainer old = containers.get(life);
    containers.put(life, with(old, life, old.limits(), phase, exit));
  }

  private static FoundContainer with(
      FoundContainer old, Life life, Limits limits, Phase phase, Optional<Exit> exit) {
    return new FoundContainer(
        life,
        old.origin(),
        old.orgId(),
        limits,
        old.containerId(),
        old.imageId(),
        old.address(),
        phase,
        exit);
  }

  private static FoundContainer listed(FoundContainer container) {
    return with(container, container.life(), Limits.NONE, container.phase(), Optional.empty());
  }
}
