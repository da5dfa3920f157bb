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

  /** Nothing happens before {@link RunningCommand#run}. */
  RunningCommand prepare(CommandRequest request);

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
  }
}
