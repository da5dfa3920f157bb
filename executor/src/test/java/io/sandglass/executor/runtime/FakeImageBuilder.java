package io.sandglass.executor.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sandglass.executor.runtime.Recipe.Source;
import io.sandglass.executor.runtime.Recipe.Step;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Knows the commands {@code true}, {@code echo …}, {@code exit …} and {@code sleep …}. */
public final class FakeImageBuilder implements ImageBuilder {
  private final Set<String> bases;
  private final Duration timeout;
  private final Map<String, String> built = new TreeMap<>();
  private final Set<String> used = ConcurrentHashMap.newKeySet();
  private final AtomicInteger builds = new AtomicInteger();
  private volatile boolean unavailable;

  public FakeImageBuilder(Duration timeout, String... bases) {
    this.timeout = timeout;
    this.bases = Set.of(bases);
  }

  /** How many builds have begun. */
  public int builds() {
    return builds.get();
  }

  /** Every call fails in a way that may pass, or no longer. */
  public void unavailable(boolean now) {
    unavailable = now;
  }

  /** A container is of this image, or no longer. */
  public void use(String image, boolean now) {
    if (now) {
      used.add(image);
    } else {
      used.remove(image);
    }
  }

  private void answer() {
    if (unavailable) {
      throw new RuntimeUnavailableException("it does not answer", null);
    }
  }

  @Override
  public Outcome build(Job job, OutputStream log, BooleanSupplier abandoned) {
    answer();
    builds.incrementAndGet();
    long deadline = System.nanoTime() + timeout.toNanos();
    for (Recipe.Stage stage : job.recipe().stages()) {
      if (stage.base() instanceof Source.Image(String base) && !bases.contains(base)) {
        return new Outcome.Failed("this node does not have the image " + base);
      }
      for (Step step : stage.steps()) {
        if (step instanceof Step.Run(String command)) {
          say(log, "RUN " + command);
          if (command.startsWith("exit ")) {
            return new Outcome.Failed("RUN " + command + ": exit code " + command.substring(5));
          }
          if (command.startsWith("echo ")) {
            say(log, command.substring(5));
          }
          while (command.startsWith("sleep ")) {
            if (abandoned.getAsBoolean()) {
              return new Outcome.Abandoned();
            }
            if (System.nanoTime() > deadline) {
              return new Outcome.Failed("it took longer than " + timeout.toSeconds() + " s");
            }
            Thread.onSpinWait();
          }
        }
      }
    }
    synchronized (built) {
      built.put(job.image(), job.revision());
    }
    return new Outcome.Done();
  }

  private static void say(OutputStream log, String line) {
    try {
      log.write((line + "\n").getBytes(UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public List<Built> built() {
    answer();
    synchronized (built) {
      return built.entrySet().stream().map(e -> new Built(e.getKey(), e.getValue())).toList();
    }
  }

  @Override
  public boolean remove(String image) {
    answer();
    synchronized (built) {
      if (used.contains(image)) {
        return false;
      }
      built.remove(image);
      return true;
    }
  }

  @Override
  public void clear() {
    answer(); // nothing is left of its builds
  }
}
