package io.sandglass.api.dataplane;

/** What a node says to a request for a sandbox's files. */
public sealed interface FileAnswer<T> {

  record Done<T>(T value) implements FileAnswer<T> {}

  /** The node does not have the sandbox awake: nothing was read, and the request may come again. */
  record NotAwake<T>(String detail) implements FileAnswer<T> {}

  /** The node can't be asked, or not yet: nothing was read, and the request may come again. */
  record Away<T>(String detail) implements FileAnswer<T> {}

  /** Nothing has changed. */
  record Refused<T>(Cause cause, String detail) implements FileAnswer<T> {}

  /** An upload may have been completed. */
  record Unknown<T>(String detail) implements FileAnswer<T> {}

  /** Why not. */
  enum Cause {
    NODE_UNAVAILABLE,
    TOO_MANY,
    NOT_FOUND,
    INVALID_PATH,
    NOT_A_FILE,
    NOT_A_DIRECTORY,
    NOT_PERMITTED,
    TOO_LARGE,
    NO_SPACE,
    /** The sandbox's file system said no. */
    FILE_SYSTEM,
    /** The client did not send all of it. */
    BODY_BROKEN
  }
}
