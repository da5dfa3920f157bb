package io.sandglass.executor.execution;

import io.sandglass.executor.files.GuestFiles;
import java.io.IOException;
import java.time.Duration;

/** The way to the guest of one sandbox. Everything that comes from there is untrusted. */
public interface GuestChannel extends AutoCloseable {

  /**
   * Waits until the guest offers itself for a command.
   *
   * @return false when it did not in time
   */
  boolean awaitReady(Duration patience) throws InterruptedException;

  /** Whether the guest answers now, and did not only once offer itself. */
  boolean answers(Duration patience) throws InterruptedException;

  /** Nothing happens before {@link RunningCommand#run}. */
  RunningCommand prepare(CommandRequest request);

  /** An offset: nothing of that stream is wanted. */
  long NO_OUTPUT = -1;

  /**
   * A detached execution, from these offsets of its output on. Who leaves it, by a sink that
   * throws, ends nothing.
   *
   * @param limit how long to wait for its end
   */
  RunningCommand attach(String executionId, long stdout, long stderr, Duration limit);

  /** Nobody will attach to it again. */
  void forget(String executionId) throws InterruptedException;

  /** The sandbox's files. */
  GuestFiles files();

  /** Ends the commands that run and refuses new ones. */
  @Override
  void close();

  /** One command. */
  interface RunningCommand {

    /**
     * Runs it and passes its output on until it has ended. Called once.
     *
     * @throws IOException of {@code sink} alone; the command and its whole process tree are killed
     */
    GuestAnswer run(OutputSink sink) throws IOException, InterruptedException;

    /** Kills the command and its whole process tree; may be called at any time. */
    void abort();

    /** Hangs up: kills it too, unless it is detached. */
    void leave();
  }
}
