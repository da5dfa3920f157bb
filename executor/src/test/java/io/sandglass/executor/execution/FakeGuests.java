package io.sandglass.executor.execution;

import io.sandglass.executor.files.GuestFiles;
import io.sandglass.executor.runtime.Life;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** Guests that answer while their container runs, and do what a test says. */
public final class FakeGuests implements GuestChannels {
  private final Predicate<Life> runs;
  private final Set<Life> dumb = ConcurrentHashMap.newKeySet();
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private volatile BiFunction<CommandRequest, OutputSink, GuestAnswer> behaviour =
      (request, sink) -> new GuestAnswer.Exited(0, false, Duration.ofMillis(1));

  /**
   * @param runs whether the first process of a life is running
   */
  public FakeGuests(Predicate<Life> runs) {
    this.runs = runs;
  }

  /** The guest of this life never answers. */
  public void silence(Life life) {
    dumb.add(life);
  }

  /** What is in every sandbox, by path. */
  public Map<String, byte[]> files() {
    return files;
  }

  /** What every command does. */
  public void behave(BiFunction<CommandRequest, OutputSink, GuestAnswer> next) {
    behaviour = next;
  }

  @Override
  public void install(Path directory) {}

  @Override
  public String token(Life life) {
    return "token of " + life;
  }

  @Override
  public GuestChannel open(Path directory, Life life) {
    return new GuestChannel() {
      @Override
      public boolean awaitReady(Duration patience) {
        return !dumb.contains(life) && runs.test(life);
      }

      @Override
      public RunningCommand prepare(CommandRequest request) {
        return new RunningCommand() {
          @Override
          public GuestAnswer run(OutputSink sink) {
            return behaviour.apply(request, sink);
          }

          @Override
          public void abort() {}
        };
      }

      @Override
      public GuestFiles files() {
        return new FakeFiles(files);
      }

      @Override
      public void close() {}
    };
  }
}
