package io.sandglass.api.control;

import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Decision;

/** Where commands go, and where decisions come from. */
public interface CommandLog {

  /**
   * Appends the command and waits for the engine's decision.
   *
   * @return {@link Decision.Undecided} when the command is in the log, but nothing came in time
   * @throws LogUnavailableException when it is not known to be in the log
   */
  Decision decide(Command command);

  /**
   * Appends a command that nobody waits for, right behind it one whose decision is waited for. Any
   * answer says that both are in the log.
   *
   * @return {@link Decision.Undecided} when nothing came in time
   * @throws LogUnavailableException when either is not known to be in the log
   */
  Decision decide(Command first, Command then);

  /** A command on its way into the log. */
  @FunctionalInterface
  interface Sent {

    /**
     * Returns when it is durable, at once when it has been before.
     *
     * @throws LogUnavailableException when it is not known to be in the log
     */
    void awaitDurable();
  }

  /** Sends a command whose decision nobody waits for. */
  Sent send(Command command);

  /**
   * Appends the command and waits for nothing but the log's acknowledgement that it is durable.
   *
   * @throws LogUnavailableException when it is not known to be in the log
   */
  default void append(Command command) {
    send(command).awaitDurable();
  }

  /** Whether decisions can be heard at all. */
  boolean ready();
}
