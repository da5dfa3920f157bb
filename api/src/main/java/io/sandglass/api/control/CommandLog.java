package io.sandglass.api.control;

import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Decision;

/** Where commands go, and where decisions come from. */
public interface CommandLog {

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

  /** Commands on their way into the log, of which the last one's decision is listened for. */
  interface Asked extends Sent, AutoCloseable {

    /**
     * Waits for the engine's decision on the last one.
     *
     * @return {@link Decision.Undecided} when nothing came in time
     */
    Decision decision();

    /** Listens no more. */
    @Override
    void close();
  }

  /**
   * Sends commands, one right behind the other.
   *
   * @throws LogUnavailableException when decisions can't be heard; nothing is in the log then
   */
  Asked ask(Command... commands);

  /**
   * Appends commands, one right behind the other, and waits for the engine's decision on the last
   * one. Any answer says that all are in the log.
   *
   * @return {@link Decision.Undecided} when nothing came in time
   * @throws LogUnavailableException when one is not known to be in the log
   */
  default Decision decide(Command... commands) {
    try (Asked asked = ask(commands)) {
      asked.awaitDurable();
      return asked.decision();
    }
  }

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
