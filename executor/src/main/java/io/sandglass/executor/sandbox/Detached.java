package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.CommandRequest;
import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.GuestAnswer;
import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.execution.OutputSink;
import io.sandglass.executor.execution.OutputStreamName;
import io.sandglass.executor.execution.Totals;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Executions.Admission;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Executions that go on without a caller, and without this process. The guest keeps their output
 * and their end; here one connection to each waits for that end, again and again if need be, and
 * tells the log.
 */
public final class Detached {
  private static final Logger LOG = LoggerFactory.getLogger(Detached.class);
  private static final Duration LONGEST = Duration.ofHours(25);
  private static final Duration PAUSE = Duration.ofMillis(200);

  /** Ended ones whose output a guest keeps; older ones are forgotten. */
  private static final int KEPT = 16;

  private final Executions executions;
  private final Residents residents;
  private final LifeDirectories directories;
  private final Duration overtime;
  private final InstantSource clock;

  /**
   * @param overtime how long past its timeout an execution's end may take to arrive
   */
  public Detached(
      Executions executions,
      Residents residents,
      LifeDirectories directories,
      Duration overtime,
      InstantSource clock) {
    this.executions = executions;
    this.residents = residents;
    this.directories = directories;
    this.overtime = overtime;
    this.clock = clock;
  }

  /** What became of a start. */
  public sealed interface Start {
    /** The shell runs. */
    record Running() implements Start {}

    record Denied(Admission.Denied denied) implements Start {}

    /** It has ended before it began. */
    record Failed(ExecutionEnd end) implements Start {}
  }

  /** Starts it, and waits until it runs. */
  public Start start(Life life, CommandRequest request, Optional<String> requestId)
      throws InterruptedException {
    return switch (executions.enter(life, request.executionId(), requestId)) {
      case Executions.Entry.Refused(Admission.Denied denied) -> new Start.Denied(denied);
      case Executions.Entry.Entered entry -> {
        CompletableFuture<Start> started = new CompletableFuture<>();
        Instant until = clock.instant().plus(request.timeout()).plus(overtime);
        Thread.ofVirtual()
            .name("detached-" + request.executionId())
            .start(() -> begin(entry, request, until, started));
        yield started.join();
      }
    };
  }

  private void begin(
      Executions.Entry.Entered entry,
      CommandRequest request,
      Instant until,
      CompletableFuture<Start> started) {
    Wait wait = new Wait(entry, request.executionId(), until, started);
    try {
      directories.executionDetached(entry.resident().life(), request.executionId(), until);
      wait.first(request);
    } catch (IOException e) {
      wait.end(new GuestAnswer.Refused("no_resources", "the execution can't be noted"));
    }
  }

  /** Takes one up that an earlier process has started. */
  void reattach(Resident resident, String executionId, Instant until) {
    Executions.Entry.Entered entry = executions.resume(resident, executionId);
    LOG.info("execution={} sandbox={} is attached to again", executionId, resident.life());
    var running = CompletableFuture.<Start>completedFuture(new Start.Running());
    Wait wait = new Wait(entry, executionId, until, running);
    Thread.ofVirtual().name("detached-" + executionId).start(wait::again);
  }

  /**
   * Its output from these offsets on; empty when the sandbox does not run here. Leaving ends
   * nothing, an abort kills it.
   */
  public Optional<GuestChannel.RunningCommand> attach(
      Life life, String executionId, long stdout, long stderr) {
    return residents
        .get(life)
        .filter(resident -> resident.phase() == Resident.Phase.RUNNING)
        .flatMap(Resident::channel)
        .map(channel -> channel.attach(executionId, stdout, stderr, LONGEST));
  }

  /** Kills it, and waits until that is done; what the guest said of its end. */
  public Optional<GuestAnswer> kill(Life life, String executionId) throws InterruptedException {
    Optional<GuestChannel.RunningCommand> command =
        attach(life, executionId, GuestChannel.NO_OUTPUT, GuestChannel.NO_OUTPUT);
    if (command.isEmpty()) {
      return Optional.empty();
    }
    OutputSink killing =
        new OutputSink() {
          @Override
          public void accept(OutputStreamName stream, byte[] bytes, int offset, int length) {
            // None was asked for.
          }

          @Override
          public void totals(Totals totals) {
            if (!totals.ended()) {
              command.get().abort();
            }
          }
        };
    try {
      return Optional.of(command.get().run(killing));
    } catch (IOException e) {
      return Optional.of(new GuestAnswer.Broken(e.toString()));
    }
  }

  /** The wait for one execution's end. */
  private final class Wait implements OutputSink {
    private final Executions.Entry.Entered entry;
    private final String executionId;
    private final Instant until;
    private final CompletableFuture<Start> started;
    private final long begun = System.nanoTime();
    private Totals totals = Totals.NONE;

    Wait(
        Executions.Entry.Entered entry,
        String executionId,
        Instant until,
        CompletableFuture<Start> started) {
      this.entry = entry;
      this.executionId = executionId;
      this.until = until;
      this.started = started;
    }

    @Override
    public void accept(OutputStreamName stream, byte[] bytes, int offset, int length) {
      // None was asked for.
    }

    @Override
    public void started() {
      started.complete(new Start.Running());
    }

    @Override
    public void totals(Totals now) {
      totals = now;
    }

    void first(CommandRequest request) {
      settle(run(entry.channel().map(channel -> channel.prepare(request))));
    }

    void again() {
      settle(attach());
    }

    private GuestAnswer attach() {
      Duration left = Duration.between(clock.instant(), until);
      return run(
          entry
              .channel()
              .map(
                  channel ->
                      channel.attach(
                          executionId,
                          GuestChannel.NO_OUTPUT,
                          GuestChannel.NO_OUTPUT,
                          left.isPositive() ? left : overtime)));
    }

    private GuestAnswer run(Optional<GuestChannel.RunningCommand> command) {
      if (command.isEmpty()) {
        return new GuestAnswer.Refused("not_running", "the sandbox's processes have ended");
      }
      try {
        return command.get().run(this);
      } catch (IOException e) {
        return new GuestAnswer.Broken(e.toString());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return new GuestAnswer.Broken("interrupted");
      }
    }

    /** Attaches again for as long as the end may still be had. */
    private void settle(GuestAnswer first) {
      GuestAnswer answer = first;
      while (mayBeHad(answer)) {
        if (executions.isEnding()) {
          return; // the next process takes it up
        }
        LOG.info("execution={} is attached to again after {}", executionId, answer);
        try {
          Thread.sleep(PAUSE);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
        answer = attach();
      }
      if (!executions.isEnding() || answer instanceof GuestAnswer.Exited) {
        end(answer);
      }
    }

    private boolean mayBeHad(GuestAnswer answer) {
      boolean cut =
          switch (answer) {
            case GuestAnswer.Exited _, GuestAnswer.Aborted _ -> false;
            case GuestAnswer.Broken _ -> true;
            case GuestAnswer.Refused refused -> isCut(refused);
          };
      return cut
          && entry.channel().isPresent()
          && residents
              .get(entry.resident().life().sandboxId())
              .filter(resident -> resident == entry.resident())
              .isPresent()
          && clock.instant().isBefore(until);
    }

    /** Whether it is the way to the guest that refuses, not the guest. */
    private boolean isCut(GuestAnswer.Refused refused) {
      return started.isDone() && !refused.code().equals("unknown_execution");
    }

    void end(GuestAnswer answer) {
      GuestAnswer last =
          switch (answer) {
            case GuestAnswer.Broken _ when entry.channel().isEmpty() ->
                new GuestAnswer.Broken("the sandbox's processes were ended");
            case GuestAnswer.Refused refused when isCut(refused) ->
                new GuestAnswer.Broken(refused.detail());
            default -> answer;
          };
      ExecutionEnd end =
          endOf(executionId, last, totals, Duration.ofNanos(System.nanoTime() - begun));
      entry.end(end);
      if (!started.complete(new Start.Failed(end))) {
        forgetOldest();
      }
    }

    private void forgetOldest() {
      Life life = entry.resident().life();
      directories.executionKept(life, executionId);
      List<String> kept = directories.keptExecutions(life);
      try {
        for (String oldest : kept.subList(0, Math.max(0, kept.size() - KEPT))) {
          Optional<GuestChannel> channel = entry.channel();
          if (channel.isEmpty()) {
            return;
          }
          channel.get().forget(oldest);
          directories.executionForgotten(life, oldest);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** What the guest says of an end, as the log is told. */
  public static ExecutionEnd endOf(
      String executionId, GuestAnswer answer, Totals totals, Duration waited) {
    OptionalInt exitCode = OptionalInt.empty();
    boolean timedOut = false;
    Duration took = waited;
    Optional<String> failure = Optional.empty();
    switch (answer) {
      case GuestAnswer.Exited exited -> {
        exitCode = OptionalInt.of(exited.exitCode());
        timedOut = exited.timedOut();
        took = exited.took();
      }
      case GuestAnswer.Aborted(OptionalInt code) -> {
        exitCode = code;
        failure = Optional.of("killed: on request");
      }
      case GuestAnswer.Refused(String code, String detail) ->
          failure =
              Optional.of(
                  code.equals("unknown_execution")
                      ? "lost: the sandbox no longer knows it"
                      : code + ": " + detail);
      case GuestAnswer.Broken(String reason) -> failure = Optional.of("lost: " + reason);
    }
    return new ExecutionEnd(
        executionId,
        exitCode,
        timedOut,
        totals.truncated(),
        totals.stdoutBytes(),
        totals.stderrBytes(),
        0,
        took,
        failure);
  }
}
