package io.sandglass.api.control;

import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.dataplane.FileAnswer;
import io.sandglass.api.dataplane.FileAnswer.Cause;
import io.sandglass.api.dataplane.FileDownload;
import io.sandglass.api.dataplane.FileListing;
import io.sandglass.api.dataplane.FilePlane;
import io.sandglass.api.dataplane.Life;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Command.BeginExecution.Kind;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Sandbox;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * Moving files into and out of sandboxes. Like a command, no transfer begins before the log holds
 * that it was about to. A listing is activity.
 */
public final class Files {
  public static final long LARGEST_UPLOAD = 100L << 20;
  private static final long LARGEST_DOWNLOAD = 1L << 30;
  private static final Duration LONGEST = Duration.ofMinutes(15);
  private static final Duration LISTING = Duration.ofSeconds(30);

  private final Executions executions;
  private final Waking waking;
  private final Nodes nodes;
  private final FilePlane plane;
  private final Ids ids;

  public Files(Executions executions, Waking waking, Nodes nodes, FilePlane plane, Ids ids) {
    this.executions = executions;
    this.waking = waking;
    this.nodes = nodes;
    this.plane = plane;
    this.ids = ids;
  }

  /** Whether it could be asked now; asked before anything is recorded. */
  public Answer<Sandbox> check(String orgId, String sandboxId) {
    return executions.check(orgId, sandboxId);
  }

  /**
   * Writes a file; done means that all of it is there.
   *
   * @return how many bytes
   */
  public Answer<Long> upload(Origin origin, Sandbox sandbox, String path, InputStream content) {
    Optional<URI> node = nodes.dataPlane(sandbox.nodeId());
    if (node.isEmpty()) {
      return Waking.unreachable();
    }
    // An upload that failed may be tried again with its idempotency key, and is another one then.
    Command.BeginExecution begin = begin(origin.unkeyed(), sandbox, Kind.UPLOAD, path);
    return waking.call(
        origin,
        sandbox,
        begin,
        (now, wake, announced) -> {
          announced.awaitDurable();
          return switch (plane.upload(
              node.get(),
              transfer(now, wake, begin, LARGEST_UPLOAD),
              content,
              origin.requestId())) {
            case FileAnswer.Done<Long>(Long bytes) -> answered(new Answer.Done<>(bytes));
            case FileAnswer.NotAwake<Long>(String detail) -> new Waking.Reply.NotAwake<>(detail);
            case FileAnswer.Away<Long>(String detail) -> new Waking.Reply.Away<>(detail);
            case FileAnswer.Refused<Long>(Cause cause, String detail) ->
                refused(cause == Cause.NOT_FOUND ? Cause.INVALID_PATH : cause, detail);
            case FileAnswer.Unknown<Long>(String detail) ->
                answered(
                    new Answer.Refused<>(
                        "execution_outcome_unknown",
                        detail + " The file may be there; the sandbox's events tell what is known.",
                        Aftermath.DOUBT));
          };
        });
  }

  /** Opens a file, which the caller then has to read or to close. */
  public Answer<FileDownload> download(Origin origin, Sandbox sandbox, String path) {
    Optional<URI> node = nodes.dataPlane(sandbox.nodeId());
    if (node.isEmpty()) {
      return Waking.unreachable();
    }
    Command.BeginExecution begin = begin(origin, sandbox, Kind.DOWNLOAD, path);
    return waking.call(
        origin,
        sandbox,
        begin,
        (now, wake, announced) -> {
          announced.awaitDurable();
          return read(
              plane.download(
                  node.get(), transfer(now, wake, begin, LARGEST_DOWNLOAD), origin.requestId()));
        });
  }

  /**
   * A page of a directory.
   *
   * @param after where the page before ended; null for the first
   */
  public Answer<FileListing> list(
      Origin origin, Sandbox sandbox, String path, String after, int most) {
    Optional<URI> node = nodes.dataPlane(sandbox.nodeId());
    if (node.isEmpty()) {
      return Waking.unreachable();
    }
    return waking.call(
        origin,
        sandbox,
        new Command.Touch(origin.header(sandbox.id(), ids), "files", Optional.empty()),
        (now, wake, announced) -> {
          announced.awaitDurable();
          FilePlane.Transfer listing =
              new FilePlane.Transfer("-", life(now, wake), path, most, LISTING);
          return read(plane.list(node.get(), listing, after, origin.requestId()));
        });
  }

  private Command.BeginExecution begin(Origin origin, Sandbox sandbox, Kind kind, String path) {
    return new Command.BeginExecution(
        origin.header(sandbox.id(), ids),
        origin.id("exe_", ids),
        kind,
        path,
        LONGEST,
        Optional.empty());
  }

  private static Life life(Sandbox sandbox, long wake) {
    return new Life(sandbox.id(), sandbox.incarnation(), wake);
  }

  private static FilePlane.Transfer transfer(
      Sandbox sandbox, long wake, Command.BeginExecution begin, long most) {
    return new FilePlane.Transfer(
        begin.executionId(), life(sandbox, wake), begin.subject(), most, begin.timeout());
  }

  /** Of what changes nothing, so that there is nothing to be in doubt about. */
  private static <T> Waking.Reply<T> read(FileAnswer<T> answer) {
    return switch (answer) {
      case FileAnswer.Done<T>(T value) -> answered(new Answer.Done<>(value));
      case FileAnswer.NotAwake<T>(String detail) -> new Waking.Reply.NotAwake<>(detail);
      case FileAnswer.Away<T>(String detail) -> new Waking.Reply.Away<>(detail);
      case FileAnswer.Refused<T>(Cause cause, String detail) -> refused(cause, detail);
      case FileAnswer.Unknown<T>(String detail) -> refused(Cause.NODE_UNAVAILABLE, detail);
    };
  }

  private static <T> Waking.Reply<T> answered(Answer<T> answer) {
    return new Waking.Reply.Answered<>(answer);
  }

  private static <T> Waking.Reply<T> refused(Cause cause, String detail) {
    String code =
        switch (cause) {
          case NODE_UNAVAILABLE -> "node_unavailable";
          case TOO_MANY -> "too_many_requests";
          case NOT_FOUND -> "file_not_found";
          case INVALID_PATH -> "invalid_path";
          case NOT_A_FILE -> "not_a_file";
          case NOT_A_DIRECTORY -> "not_a_directory";
          case NOT_PERMITTED -> "path_not_permitted";
          case TOO_LARGE -> "file_too_large";
          case NO_SPACE -> "no_space";
          case FILE_SYSTEM -> "file_system_refused";
          case BODY_BROKEN -> "malformed_request";
        };
    return answered(new Answer.Refused<>(code, detail, Aftermath.NOTHING));
  }
}
