package io.sandglass.api.control;

import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.dataplane.DataPlane;
import io.sandglass.api.dataplane.Lifeline;
import io.sandglass.api.dataplane.NodeStream;
import io.sandglass.api.dataplane.Run;
import io.sandglass.api.dataplane.Utf8;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.ExecutionRecord;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Status;
import io.sandglass.api.store.ExecutionStore;
import io.sandglass.api.store.SandboxStore;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Commands that go on without their caller, and the records of all commands. That one runs, and how
 * it ended, is what the log says; what it wrote is in its sandbox, for as long as that keeps it.
 */
public final class Detached {
  private static final Pattern ID = Pattern.compile("exe_[0-9a-z]{16,40}");

  private final CommandLog log;
  private final Waking waking;
  private final ExecutionStore records;
  private final SandboxStore sandboxes;
  private final Nodes nodes;
  private final DataPlane plane;
  private final Executions executions;
  private final Progress progress;
  private final Ids ids;
  private final InstantSource clock;
  private final Duration patience;

  /**
   * @param patience how long the projection may take to show what happened
   */
  public Detached(
      CommandLog log,
      Waking waking,
      ExecutionStore records,
      SandboxStore sandboxes,
      Nodes nodes,
      DataPlane plane,
      Executions executions,
      Progress progress,
      Ids ids,
      InstantSource clock,
      Duration patience) {
    this.log = log;
    this.waking = waking;
    this.records = records;
    this.sandboxes = sandboxes;
    this.nodes = nodes;
    this.plane = plane;
    this.executions = executions;
    this.progress = progress;
    this.ids = ids;
    this.clock = clock;
    this.patience = patience;
  }

  /**
   * Begins it, and waits until it runs and everyone can see that. A repetition has the same id and
   * meets the first, also after a crash: the log has decided on everything that was told of that
   * before it decides on the repetition, and the node begins no id twice.
   */
  public Answer<ExecutionRecord> start(Origin origin, Sandbox sandbox, Executions.Request request) {
    Optional<URI> node = nodes.dataPlane(sandbox.nodeId());
    if (node.isEmpty()) {
      return Waking.unreachable();
    }
    String id = origin.id("exe_", ids);
    Command.BeginExecution begin =
        new Command.BeginExecution(
            origin.header(sandbox.id(), ids),
            id,
            Command.BeginExecution.Kind.DETACHED,
            request.command(),
            request.timeout(),
            Optional.empty());
    switch (log.decide(begin)) {
      case Decision.Rejected(String code, String detail, long _) -> {
        return new Answer.Refused<>(code, detail, Aftermath.DECISION);
      }
      case Decision.Accepted _, Decision.Undecided _ -> {}
    }
    Answer<ExecutionRecord> answer = begin(origin, sandbox, request, id, node.get());
    executions.abandonUnlessBegun(origin, sandbox, id, answer);
    return answer;
  }

  private Answer<ExecutionRecord> begin(
      Origin origin, Sandbox sandbox, Executions.Request request, String id, URI node) {
    Optional<ExecutionRecord> record = seen(sandbox.id(), id, _ -> true);
    if (record.isEmpty()) {
      return new Answer.Refused<>(
          "log_unavailable",
          "The engine has not decided in time. Nothing was begun.",
          Aftermath.NOTHING);
    }
    if (record.get().end() != null) {
      return ended(record.get());
    }
    return waking.call(
        origin,
        sandbox,
        (now, wake, _) ->
            plane
                .detach(node, executions.execution(id, now, wake, request), origin.requestId())
                .map(Executions::<ExecutionRecord>reply)
                .orElseGet(() -> new Waking.Reply.Answered<>(new Answer.Done<>(record.get()))));
  }

  /** What a repetition of a request is answered whose execution is over. */
  private Answer<ExecutionRecord> ended(ExecutionRecord record) {
    return record.state(clock.instant()) == ExecutionRecord.State.FAILED
        ? new Answer.Refused<>(
            "execution_in_doubt",
            "The first try never began ("
                + record.end().failure()
                + "). Send it with a new Idempotency-Key.",
            Aftermath.DECISION)
        : new Answer.Done<>(record);
  }

  /**
   * Newest first, one more than the limit when there are more.
   *
   * @param before only those whose start has a lower version
   */
  public Answer<List<ExecutionRecord>> list(
      String orgId, String sandboxId, long before, int limit) {
    return Answer.carry(
        sandbox(orgId, sandboxId), sandbox -> records.list(sandbox.id(), before, limit));
  }

  /** A record, and the sandbox as it is now. */
  public record Found(Sandbox sandbox, ExecutionRecord execution) {}

  public Answer<Found> find(String orgId, String sandboxId, String id) {
    return switch (sandbox(orgId, sandboxId)) {
      case Answer.Done<Sandbox>(Sandbox sandbox) ->
          Optional.of(id)
              .filter(text -> ID.matcher(text).matches())
              .flatMap(text -> records.find(sandboxId, text))
              .<Answer<Found>>map(record -> new Answer.Done<>(new Found(sandbox, record)))
              .orElseGet(
                  () ->
                      new Answer.Refused<>(
                          "execution_not_found",
                          "The sandbox " + sandboxId + " has no execution " + id + ".",
                          Aftermath.NOTHING));
      case Answer.Pending<Sandbox>(String command, String sandbox) ->
          new Answer.Pending<>(command, sandbox);
      case Answer.Refused<Sandbox>(String code, String detail, Aftermath aftermath) ->
          new Answer.Refused<>(code, detail, aftermath);
    };
  }

  private Answer<Sandbox> sandbox(String orgId, String id) {
    return Sandboxes.read(orgId, id, sandboxes.find(id));
  }

  /** Where the output of an execution is. */
  public enum Kept {
    /** In the sandbox, from which it has been read. */
    AVAILABLE,
    /** Its caller got it, and nobody else can. */
    SENT,
    /** Nowhere any more. */
    GONE,
    /** In the sandbox, perhaps, which cannot be asked now: it sleeps, or its node is away. */
    UNREACHABLE
  }

  /**
   * What it has written from some place on, in whole characters.
   *
   * @param next where that ends, in bytes of the stream
   */
  public record Text(String text, long next) {}

  /**
   * Output so far.
   *
   * @param stdout null unless it is available, like the next one
   * @param written how many bytes of both streams there are; empty when the record knows
   */
  public record Output(
      Kept kept, Text stdout, Text stderr, Optional<NodeStream.Frame.Pause> written) {
    static Answer<Output> of(Kept kept) {
      return new Answer.Done<>(new Output(kept, null, null, Optional.empty()));
    }
  }

  /** What it has written so far, from these offsets on. */
  public Answer<Output> output(Found found, long stdout, long stderr) {
    if (!found.execution().detached()) {
      return Output.of(Kept.SENT);
    }
    return switch (attach(found, stdout, stderr, false, new Lifeline())) {
      case DataPlane.Call.Open(NodeStream stream) -> {
        try (stream) {
          yield new Answer.Done<>(read(stream, stdout, stderr));
        }
      }
      case DataPlane.Call.Over(Run.Forgotten()) -> Output.of(Kept.GONE);
      case DataPlane.Call.Over(Run.NeverBegan(Run.Cause cause, String detail))
          when cause == Run.Cause.NOT_POSSIBLE ->
          beyond(detail);
      case DataPlane.Call.NotAwake _, DataPlane.Call.Away _, DataPlane.Call.Over _ ->
          Output.of(Kept.UNREACHABLE);
    };
  }

  private static Output read(NodeStream stream, long stdout, long stderr) {
    Map<NodeStream.Channel, ByteArrayOutputStream> bytes = new EnumMap<>(NodeStream.Channel.class);
    for (NodeStream.Channel channel : NodeStream.Channel.values()) {
      bytes.put(channel, new ByteArrayOutputStream());
    }
    Optional<NodeStream.Frame.Pause> written = Optional.empty();
    boolean last = false;
    boolean reading = true;
    while (reading) {
      switch (stream.next()) {
        case NodeStream.Frame.Started _, NodeStream.Frame.Beat _ -> {}
        case NodeStream.Frame.Output(NodeStream.Channel channel, byte[] piece, int length) ->
            bytes.get(channel).write(piece, 0, length);
        case NodeStream.Frame.Pause pause -> {
          written = Optional.of(pause);
          reading = false;
        }
        case NodeStream.Frame.End(Run run) -> {
          last = run instanceof Run.Finished;
          reading = false;
        }
      }
    }
    return new Output(
        Kept.AVAILABLE,
        text(bytes.get(NodeStream.Channel.STDOUT).toByteArray(), stdout, last),
        text(bytes.get(NodeStream.Channel.STDERR).toByteArray(), stderr, last),
        written);
  }

  /**
   * @param last whether nothing follows, so that half a character is told as what it is
   */
  private static Text text(byte[] bytes, long from, boolean last) {
    Utf8 decoder = new Utf8();
    String text = decoder.take(bytes, bytes.length);
    if (last) {
      text += decoder.rest();
    }
    return new Text(text, from + bytes.length - decoder.waiting());
  }

  /**
   * What it has written from these offsets on, and what it does from now on, up to its end.
   *
   * @return the stream, to be closed, which ends nothing else
   */
  public Answer<NodeStream> follow(Found found, long stdout, long stderr, Lifeline lifeline) {
    if (!found.execution().detached()) {
      return notDetached("has sent its output to its caller");
    }
    return switch (attach(found, stdout, stderr, true, lifeline)) {
      case DataPlane.Call.Open(NodeStream stream) -> new Answer.Done<>(stream);
      case DataPlane.Call.Over(Run.Forgotten()) ->
          new Answer.Refused<>(
              "output_gone",
              "The output of "
                  + found.execution().id()
                  + " is not kept any more; its record tells how it ended.",
              Aftermath.NOTHING);
      case DataPlane.Call.Over(Run.NeverBegan(Run.Cause cause, String detail))
          when cause == Run.Cause.NOT_POSSIBLE ->
          beyond(detail);
      case DataPlane.Call.NotAwake(String detail) -> notAwake(detail);
      case DataPlane.Call.Away(String detail) -> Waking.away(detail);
      case DataPlane.Call.Over(Run.NeverBegan never) -> Executions.refused(never);
      case DataPlane.Call.Over _ -> Waking.unreachable();
    };
  }

  private DataPlane.Call attach(
      Found found, long stdout, long stderr, boolean follow, Lifeline lifeline) {
    Sandbox sandbox = found.sandbox();
    if (sandbox.status() == Status.DESTROYED) {
      return new DataPlane.Call.Over(new Run.Forgotten());
    }
    if (sandbox.status() != Status.RUNNING) {
      return new DataPlane.Call.NotAwake("The sandbox is " + sandbox.status().text() + ".");
    }
    DataPlane.Place place =
        new DataPlane.Place(
            sandbox.id(), found.execution().id(), sandbox.incarnation(), stdout, stderr);
    return nodes
        .dataPlane(sandbox.nodeId())
        .map(node -> plane.output(node, place, follow, lifeline))
        .orElseGet(() -> new DataPlane.Call.Over(new Run.Unknown("Its node is away.")));
  }

  /** Kills it with its whole process tree; done also when it has ended before. */
  public Answer<ExecutionRecord> kill(Origin origin, Found found) {
    ExecutionRecord execution = found.execution();
    Sandbox sandbox = found.sandbox();
    if (execution.end() != null || sandbox.status() == Status.DESTROYED) {
      return new Answer.Done<>(execution);
    }
    if (!execution.detached()) {
      return notDetached("ends when its caller hangs up");
    }
    Optional<URI> node = nodes.dataPlane(sandbox.nodeId());
    if (node.isEmpty()) {
      return Waking.unreachable();
    }
    log.append(
        new Command.Touch(
            origin.header(sandbox.id(), ids), "kill of " + execution.id(), Optional.empty()));
    Optional<DataPlane.Call.Refusal> refusal =
        plane.kill(
            node.get(),
            new DataPlane.Place(sandbox.id(), execution.id(), sandbox.incarnation(), 0, 0));
    if (refusal.isEmpty()) {
      return new Answer.Done<>(
          seen(sandbox.id(), execution.id(), record -> record.end() != null).orElse(execution));
    }
    return refusal.get() instanceof DataPlane.Call.NotAwake(String detail)
        ? notAwake(detail)
        : Waking.unreachable();
  }

  private static <T> Answer<T> notAwake(String detail) {
    return new Answer.Refused<>(Waking.NOT_RUNNING, detail, Aftermath.NOTHING);
  }

  private Optional<ExecutionRecord> seen(
      String sandboxId, String id, Predicate<ExecutionRecord> so) {
    return progress.await(sandboxId, () -> records.find(sandboxId, id), so, patience).filter(so);
  }

  private static <T> Answer<T> beyond(String detail) {
    return new Answer.Refused<>(
        "invalid_request", "An offset leads nowhere: " + detail + ".", Aftermath.NOTHING);
  }

  private static <T> Answer<T> notDetached(String what) {
    return new Answer.Refused<>(
        "not_detached",
        "Expected a detached execution, but this one " + what + ".",
        Aftermath.NOTHING);
  }
}
