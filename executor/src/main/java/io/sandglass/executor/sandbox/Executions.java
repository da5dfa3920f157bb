package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.CommandRequest;
import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.GuestAnswer;
import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.execution.LimitedOutput;
import io.sandglass.executor.execution.OutputSink;
import io.sandglass.executor.execution.RecentExecutions;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets commands run in the sandboxes of this node, and tells the log how each ended. An execution
 * that began is told about exactly once, whatever happens to the caller, the guest or this process:
 * a note on disk stands for it until the log has its end.
 */
public final class Executions implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Executions.class);
  private static final Duration TELLING = Duration.ofSeconds(2);

  /** Shorter than the API's with a node that says nothing. */
  private static final Duration WAITING = Duration.ofSeconds(10);

  /** For a sign of life from a guest that was lost. */
  private static final Duration ANSWERING = Duration.ofSeconds(1);

  private final Residents residents;
  private final LifeDirectories directories;
  private final Delivery delivery;
  private final RecentExecutions recent;
  private final Limits limits;
  private final Preemption ending = new Preemption();

  /**
   * @param perSandbox executions at once in one sandbox
   * @param outputBytes passed on of each stream
   */
  public record Limits(int perSandbox, long outputBytes) {}

  public Executions(
      Residents residents,
      LifeDirectories directories,
      Reports reports,
      RecentExecutions recent,
      Limits limits) {
    this.residents = residents;
    this.directories = directories;
    this.delivery = new Delivery(reports);
    this.recent = recent;
    this.limits = limits;
  }

  /** Whether a command may run. */
  public sealed interface Admission {
    record Admitted(Execution execution) implements Admission {}

    record Denied(Reason reason, String detail) implements Admission {}

    /** Why not. */
    enum Reason {
      UNKNOWN_SANDBOX,
      NOT_RUNNING,
      ALREADY_STARTED,
      GUEST_UNREACHABLE,
      TOO_MANY
    }
  }

  /** One command that was let in, to be run once. */
  public interface Execution {

    /**
     * Runs it to its end, whatever that is; returns when nothing of it is left in the foreground.
     */
    ExecutionEnd run(OutputSink sink) throws InterruptedException;

    /** Kills the command and its whole process tree. */
    void abort();
  }

  /**
   * Waits for a sandbox that starts, or for the order that wakes it, which its caller knows to be
   * on its way here. Whether it runs then, whoever lets something in will see.
   *
   * @param orderVersion of that order; 0 for none
   */
  public void awaitRunning(Life life, long orderVersion) throws InterruptedException {
    Optional<Resident> resident = residents.get(life);
    if (resident.isPresent()) {
      resident.get().awaitRunning(orderVersion, WAITING);
    }
  }

  /** Lets a command in, unless something speaks against it; who is let in must run it. */
  public Admission admit(Life life, CommandRequest request, Optional<String> requestId) {
    return switch (enter(life, request.executionId(), requestId)) {
      case Entry.Refused(Admission.Denied denied) -> denied;
      case Entry.Entered entered -> {
        LOG.info(
            "execution={} sandbox={} incarnation={} timeout_ms={} request_id={} begins",
            request.executionId(),
            life.sandboxId(),
            life.incarnation(),
            request.timeout().toMillis(),
            requestId.orElse("-"));
        yield new Admission.Admitted(
            new Admitted(
                entered, entered.resident.channel().map(c -> c.prepare(request)), request));
      }
    };
  }

  /** Whether something may begin in a sandbox. */
  sealed interface Entry {

    /** It has begun, as far as the log is concerned: {@link #end} has to follow. */
    final class Entered implements Entry {
      private final Executions executions;
      private final Resident resident;
      private final Optional<String> requestId;

      private Entered(Executions executions, Resident resident, Optional<String> requestId) {
        this.executions = executions;
        this.resident = resident;
        this.requestId = requestId;
      }

      /** The way to the guest, unless the sandbox has just been stopped. */
      Optional<GuestChannel> channel() {
        return resident.channel();
      }

      Resident resident() {
        return resident;
      }

      /** Makes room for others, and tells the log. */
      void end(ExecutionEnd end) {
        resident.leaveExecution();
        executions.tell(resident, requestId, end);
      }

      /**
       * After the guest was lost: returns when it is there again, or when the end of the sandbox's
       * processes is noticed, which takes the runtime as long as it takes to write their files to
       * disk.
       */
      void awaitFate() {
        try {
          Optional<GuestChannel> channel = resident.channel();
          if (channel.isPresent() && !channel.get().answers(ANSWERING)) {
            resident.awaitDisconnect(WAITING);
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
    }

    record Refused(Admission.Denied denied) implements Entry {}
  }

  /** Lets anything in that is to be told about. */
  Entry enter(Life life, String executionId, Optional<String> requestId) {
    Optional<Resident> found = residents.get(life.sandboxId());
    Optional<Admission.Denied> mismatch = mismatch(found, life);
    if (mismatch.isPresent()) {
      return new Entry.Refused(mismatch.get());
    }
    if (!recent.begin(executionId)) {
      return new Entry.Refused(
          denied(Admission.Reason.ALREADY_STARTED, "the execution has been started before"));
    }
    Optional<Admission.Denied> denial = enter(found.get(), executionId);
    if (denial.isPresent()) {
      recent.forget(executionId);
      return new Entry.Refused(denial.get());
    }
    return new Entry.Entered(this, found.get(), requestId);
  }

  /** An execution that has outlived the process that let it in. */
  Entry.Entered resume(Resident resident, String executionId) {
    var _ = recent.begin(executionId);
    resident.resumeExecution();
    return new Entry.Entered(this, resident, Optional.empty());
  }

  boolean isEnding() {
    return ending.isShutdown();
  }

  /** What a brief look inside that nobody is told about finds at the door. */
  sealed interface Visit {

    /** Keeps the sandbox awake until it is closed. */
    record Inside(Resident resident) implements Visit, AutoCloseable {
      @Override
      public void close() {
        resident.leaveExecution();
      }
    }

    record Refused(Admission.Denied denied) implements Visit {}
  }

  Visit visit(Life life) {
    Optional<Resident> found = residents.get(life.sandboxId());
    Optional<Admission.Denied> denial = mismatch(found, life).or(() -> occupy(found.get()));
    return denial.<Visit>map(Visit.Refused::new).orElseGet(() -> new Visit.Inside(found.get()));
  }

  private static Optional<Admission.Denied> mismatch(Optional<Resident> found, Life life) {
    if (found.isEmpty()) {
      return Optional.of(
          denied(Admission.Reason.UNKNOWN_SANDBOX, "this node does not hold the sandbox"));
    }
    int here = found.get().life().incarnation();
    return here == life.incarnation()
        ? Optional.empty()
        : Optional.of(
            denied(
                Admission.Reason.NOT_RUNNING,
                "incarnation " + here + " is here, not " + life.incarnation()));
  }

  private Optional<Admission.Denied> occupy(Resident resident) {
    return resident
        .enterExecution(limits.perSandbox())
        .map(
            denial ->
                switch (denial) {
                  case NOT_RUNNING ->
                      denied(Admission.Reason.NOT_RUNNING, "the sandbox is " + resident.phase());
                  case GUEST_UNREACHABLE ->
                      denied(Admission.Reason.GUEST_UNREACHABLE, "there is no way to the guest");
                  case TOO_MANY ->
                      denied(
                          Admission.Reason.TOO_MANY,
                          "the sandbox runs " + limits.perSandbox() + " executions already");
                });
  }

  private Optional<Admission.Denied> enter(Resident resident, String executionId) {
    Optional<Admission.Denied> denial = occupy(resident);
    if (denial.isPresent()) {
      return denial;
    }
    try {
      directories.executionBegins(resident.life(), executionId);
      return Optional.empty();
    } catch (IOException e) {
      resident.leaveExecution();
      LOG.warn("execution={} can't be noted: {}", executionId, e.toString());
      return Optional.of(
          denied(Admission.Reason.GUEST_UNREACHABLE, "the sandbox's directory can't be written"));
    }
  }

  private static Admission.Denied denied(Admission.Reason reason, String detail) {
    return new Admission.Denied(reason, detail);
  }

  private final class Admitted implements Execution {
    private final Entry.Entered entry;
    private final Optional<GuestChannel.RunningCommand> command;
    private final CommandRequest request;

    Admitted(
        Entry.Entered entry,
        Optional<GuestChannel.RunningCommand> command,
        CommandRequest request) {
      this.entry = entry;
      this.command = command;
      this.request = request;
    }

    @Override
    public ExecutionEnd run(OutputSink sink) throws InterruptedException {
      LimitedOutput output = new LimitedOutput(sink, limits.outputBytes());
      ExecutionEnd end = ExecutionEnd.unknown(request.executionId(), "interrupted");
      boolean lost = false;
      long begun = System.nanoTime();
      try {
        GuestAnswer answer = answer(output);
        lost = answer instanceof GuestAnswer.Broken;
        end = end(answer, output, Duration.ofNanos(System.nanoTime() - begun));
      } finally {
        entry.end(end);
      }
      if (lost) {
        entry.awaitFate();
      }
      return end;
    }

    private GuestAnswer answer(OutputSink sink) throws InterruptedException {
      if (command.isEmpty()) {
        return new GuestAnswer.Refused("not_running", "the sandbox has just been stopped");
      }
      try {
        return command.get().run(sink);
      } catch (IOException e) {
        return new GuestAnswer.Aborted(OptionalInt.empty());
      }
    }

    private ExecutionEnd end(GuestAnswer answer, LimitedOutput output, Duration took) {
      OptionalInt exitCode = OptionalInt.empty();
      boolean timedOut = false;
      Duration duration = took;
      Optional<String> failure = Optional.empty();
      switch (answer) {
        case GuestAnswer.Exited exited -> {
          exitCode = OptionalInt.of(exited.exitCode());
          timedOut = exited.timedOut();
          duration = exited.took();
        }
        case GuestAnswer.Aborted(OptionalInt code) -> {
          exitCode = code;
          failure = Optional.of("aborted: the caller went away");
        }
        case GuestAnswer.Refused refused ->
            failure = Optional.of(refused.code() + ": " + refused.detail());
        case GuestAnswer.Broken broken -> failure = Optional.of("broken: " + broken.reason());
      }
      return new ExecutionEnd(
          request.executionId(),
          exitCode,
          timedOut,
          output.truncated(),
          output.stdoutBytes(),
          output.stderrBytes(),
          0,
          duration,
          failure);
    }

    @Override
    public void abort() {
      command.ifPresent(GuestChannel.RunningCommand::abort);
    }
  }

  /**
   * Returns when the log knows, so that what the caller asks for next finds nothing in flight; with
   * a log that is not there, nobody waits long, and the log is told later.
   */
  private void tell(Resident resident, Optional<String> requestId, ExecutionEnd end) {
    Life life = resident.life();
    var subject = new Order.Subject(life, resident.orgId(), 0, requestId);
    CountDownLatch told = new CountDownLatch(1);
    Thread.ofVirtual()
        .name("tell-" + end.executionId())
        .start(
            () -> {
              try {
                delivery.deliver(new Report(subject, new Report.ExecutionEnded(end)), ending);
                told.countDown();
                directories.executionTold(life, end.executionId());
              } catch (Preemption.PreemptedException e) {
                told.countDown();
                LOG.info("execution={} is told about after the restart", end.executionId());
              }
            });
    try {
      if (!told.await(TELLING.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.warn("execution={} has ended, and the log can't be told yet", end.executionId());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What the log was not told yet, the next process will tell. */
  @Override
  public void close() {
    ending.fire(Preemption.Cause.SHUTDOWN);
  }
}
