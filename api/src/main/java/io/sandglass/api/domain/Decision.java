package io.sandglass.api.domain;

/** What the engine said to a command. */
public sealed interface Decision {

  /**
   * @param version the sandbox's version from then on
   */
  record Accepted(long version) implements Decision {}

  /**
   * @param code from the engine's closed set
   */
  record Rejected(String code, String detail, long version) implements Decision {}

  /** Nothing in time: the command is in the log and will be decided. */
  record Undecided() implements Decision {}
}
