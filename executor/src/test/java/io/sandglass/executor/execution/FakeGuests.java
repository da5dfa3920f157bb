package io.sandglass.executor.execution;

import io.sandglass.executor.files.GuestFiles;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** Guests that answer while their container runs, and do what a test says. */
public final class FakeGuests implements GuestChannels {
  private final Predicate<Life> runs;
  private final Set<Life> dumb = ConcurrentHashMap.newKeySet();
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final Map<String, CompletableFuture<GuestAnswer>> detached = new ConcurrentHashMap<>();
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

  /** What a detached execution does, until a test ends it; survives every restart. */
  public Map<String, CompletableFuture<GuestAnswer>> detached() {
    return detached;
  }

  private GuestAnswer ended(String executionId, OutputSink sink)
      throws IOException, InterruptedException {
    CompletableFuture<GuestAnswer> end = detached.get(executionId);
    if (end == null) {
      return new GuestAnswer.Refused("unknown_execution", "never heard of it");
    }
    sink.totals(new Totals(3, 3, 0, 0, end.isDone()));
    try {
      return end.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
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
      public boolean answers(Duration patience) {
        return awaitReady(patience);
      }

      @Override
      public RunningCommand prepare(CommandRequest request) {
        return new RunningCommand() {
          @Override
          public GuestAnswer run(OutputSink sink) throws IOException, InterruptedException {
            if (!request.detached()) {
              return behaviour.apply(request, sink);
            }
            detached.put(request.executionId(), new CompletableFuture<>());
            sink.started();
            return ended(request.executionId(), sink);
          }

          @Override
          public void abort() {}

          @Override
          public void leave() {}
        };
      }

      @Override
      public RunningCommand attach(String executionId, long stdout, long stderr, Duration limit) {
        return new RunningCommand() {
          @Override
          public GuestAnswer run(OutputSink sink) throws IOException, InterruptedException {
            return ended(executionId, sink);
          }

          @Override
          public void abort() {
            detached.get(executionId).complete(new GuestAnswer.Aborted(OptionalInt.of(137)));
          }

          @Override
          public void leave() {}
        };
      }

      @Override
      public void forget(String executionId) {
        detached.remove(executionId);
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
