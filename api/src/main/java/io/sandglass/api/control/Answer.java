package io.sandglass.api.control;

import java.util.function.Function;

/** What became of a request. */
public sealed interface Answer<T> {

  record Done<T>(T value) implements Answer<T> {}

  /** In the log, but its outcome is not known yet: the command tells it later. */
  record Pending<T>(String commandId, String sandboxId) implements Answer<T> {}

  /**
   * Not done.
   *
   * @param code from a closed set; the HTTP side knows its status
   */
  record Refused<T>(String code, String detail, Aftermath aftermath) implements Answer<T> {}

  /** What a refusal leaves behind. */
  enum Aftermath {
    /** Nothing: the same request may be tried anew. */
    NOTHING,
    /** A decision: the same request gets the same answer. */
    DECISION,
    /** Something may have happened. */
    DOUBT
  }

  /** The same refusal or wait, for a caller that wanted something else. */
  static <A, B> Answer<B> carry(Answer<A> answer, Function<A, B> value) {
    return switch (answer) {
      case Done<A>(A done) -> new Done<>(value.apply(done));
      case Pending<A>(String command, String sandbox) -> new Pending<>(command, sandbox);
      case Refused<A>(String code, String detail, Aftermath aftermath) ->
          new Refused<>(code, detail, aftermath);
    };
  }
}
