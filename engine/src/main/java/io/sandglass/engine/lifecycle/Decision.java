package io.sandglass.engine.lifecycle;

import java.util.List;

/** What becomes of a command. */
public sealed interface Decision {

  /** It is so; without events when it already was. */
  record Accepted(List<Event> events) implements Decision {
    public Accepted {
      events = List.copyOf(events);
    }
  }

  /** A request that is turned down, with a sentence "Expected …, but …". */
  record Rejected(Rejection code, String sentence) implements Decision {}

  /** A report or deadline that an earlier fact made meaningless. */
  record Ignored(String why) implements Decision {}

  /** A container was found that does not belong to the sandbox: the node is to remove it. */
  record Disowned(String why) implements Decision {}
}
