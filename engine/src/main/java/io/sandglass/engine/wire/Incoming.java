package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Command;

/** A record of {@code sandbox.commands}, told apart. */
public sealed interface Incoming {

  /**
   * From a client.
   *
   * @param command a {@link Command.Create} is not placed yet
   */
  record Asked(Envelope envelope, Command.Request command) implements Incoming {}

  /**
   * From a node.
   *
   * @param report a {@link Command.Refused} has no next node yet
   */
  record Reported(Envelope envelope, Command.Report report) implements Incoming {}

  /** Nothing this release understands. */
  record Unreadable(String reason) implements Incoming {}
}
