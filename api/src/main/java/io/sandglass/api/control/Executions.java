package io.sandglass.api.control;

import io.sandglass.api.control.Answer.Aftermath;
import io.sandglass.api.dataplane.DataPlane;
import io.sandglass.api.dataplane.Execution;
import io.sandglass.api.dataplane.Life;
import io.sandglass.api.dataplane.Lifeline;
import io.sandglass.api.dataplane.NodeStream;
import io.sandglass.api.dataplane.Run;
import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.Status;
import io.sandglass.api.secrets.EnvSealer;
import io.sandglass.api.store.SandboxStore;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Running commands. Nothing runs before the log holds that it was about to. */
public final class Executions {
  private static final Logger LOG = LoggerFactory.getLogger(Executions.class);

  /**
   * What is to be run.
   *
   * @param workdir null for the image's own
   * @param env laid over the sandbox's own
   * @param stdin null for none
   */
  public record Request(
      String command, Duration timeout, String workdir, Map<String, String> env, String stdin) {

    public Request {
      env = Map.copyOf(env);
    }
  }

  private final CommandLog log;
  private final Waking waking;
  private final SandboxStore sandboxes;
  private final Nodes nodes;
  private final DataPlane dataPlane;
  private final EnvSealer sealer;
  private final Ids ids;

  public Executions(
      CommandLog log,
      Waking waking,
      SandboxStore sandboxes,
      Nodes nodes,
      DataPlane dataPlane,
      EnvSealer sealer,
      Ids ids) {
    this.log = log;
    this.waking = waking;
    this.sandboxes = sandboxes;
    this.nodes = nodes;
    this.dataPlane = dataPlane;
    this.sealer = sealer;
    this.ids = ids;
  }

  /** Whether it could run, perhaps after a wake; asked before anything is recorded. */
  public Answer<Sandbox> check(String orgId, String sandboxId) {
    Answer<Sandbox> found = Sandboxes.read(orgId, sandboxId, sandboxes.find(sandboxId));
    return found instanceof Answer.Done<Sandbox>(Sandbox sandbox)
            && sandbox.status() != Status.RUNNING
            && sandbox.status() != Status.SUSPENDED
        ? Waking.notRunning(sandbox)
        : found;
  }

  /**
   * A command that runs.
   *
   * @param stream what it does; to be closed, which kills it when it has not ended
   */
  public record Live(String sandboxId, String executionId, NodeStream stream) {}

  /**
   * How a command ended, and the first 10 MiB of what it wrote.
   *
   * @param stdout bytes that are no UTF-8 are replaced
   */
  public record Result(Run.Finished end, String stdout, String stderr) {}

  /**
   * Begins it, and waits until it runs.
   *
   * @param lifeline who cuts it has the command killed
   */
  public Answer<Live> begin(Origin origin, Sandbox sandbox, Request request, Lifeline lifeline) {
    Optional<URI> node = nodes.dataPlane(sandbox.nodeId());
    if (node.isEmpty()) {
      return Waking.unreachable();
    }
    String executionId = origin.id("exe_", ids);
    Command.BeginExecution begin =
        new Command.BeginExecution(
            origin.header(sandbox.id(), ids),
            executionId,
            Command.BeginExecution.Kind.COMMAND,
            request.command(),
            request.timeout(),
            Optional.empty());
    Answer<Live> answer =
        waking.call(
            origin,
            sandbox,
            begin,
            (now, wake, announced) ->
                switch (dataPlane.begin(
                    node.get(),
                    execution(executionId, now, wake, request),
                    origin.requestId(),
                    lifeline,
                    announced::awaitDurable)) {
                  case DataPlane.Call.Open(NodeStream stream) ->
                      new Waking.Reply.Answered<>(
                          new Answer.Done<>(new Live(now.id(), executionId, stream)));
                  case DataPlane.Call.Refusal refusal -> reply(refusal);
                });
    abandonUnlessBegun(origin, sandbox, executionId, answer);
    return answer;
  }

  /** What a node says in place of a command that runs. */
  static <T> Waking.Reply<T> reply(DataPlane.Call.Refusal refusal) {
    return switch (refusal) {
      case DataPlane.Call.NotAwake(String detail) -> new Waking.Reply.NotAwake<>(detail);
      case DataPlane.Call.Away(String detail) -> new Waking.Reply.Away<>(detail);
      case DataPlane.Call.Over(Run run) -> new Waking.Reply.Answered<>(refused(run));
    };
  }

  /**
   * The request with what its sandbox adds.
   *
   * @param wake as of {@link Life}
   */
  Execution execution(String executionId, Sandbox sandbox, long wake, Request request) {
    Map<String, String> env = new HashMap<>(sealer.open(sandbox.id(), sandbox.spec().env()));
    env.putAll(request.env());
    return new Execution(
        executionId,
        new Life(sandbox.id(), sandbox.incarnation(), wake),
        request.command(),
        request.timeout(),
        request.workdir(),
        env,
        request.stdin());
  }

  /**
   * Tells the log of what it holds the start of, and what never began; or else it would count as
   * running, and keep its sandbox awake, until its timeout. With an idempotency key, a repetition
   * may begin it yet.
   */
  void abandonUnlessBegun(Origin origin, Sandbox sandbox, String executionId, Answer<?> answer) {
    if (!(answer instanceof Answer.Refused<?>(String _, String why, Aftermath aftermath))
        || aftermath != Aftermath.NOTHING
        || origin.idempotencyKey() != null) {
      return;
    }
    try {
      log.append(
          new Command.NeverBegan(
              origin.header(sandbox.id(), ids),
              executionId,
              sandbox.nodeId(),
              sandbox.incarnation(),
              "never_began: " + why));
    } catch (LogUnavailableException e) {
      LOG.warn("execution={} never began, and the log was not told: {}", executionId, e.toString());
    }
  }

  /** Runs it and waits for its end. */
  public Answer<Result> run(Origin origin, Sandbox sandbox, Request request, Lifeline lifeline) {
    return switch (begin(origin, sandbox, request, lifeline)) {
      case Answer.Done<Live>(Live live) -> {
        try (NodeStream _ = live.stream()) {
          yield collect(live);
        }
      }
      case Answer.Pending<Live>(String command, String id) -> new Answer.Pending<>(command, id);
      case Answer.Refused<Live>(String code, String detail, Aftermath aftermath) ->
          new Answer.Refused<>(code, detail, aftermath);
    };
  }

  /** Why a command that ran has no exit code. */
  public Answer.Refused<Result> unfinished(String sandboxId, Run run) {
    return waking.explained(sandboxId, Executions.<Result>refused(run));
  }

  private Answer<Result> collect(Live live) {
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    while (true) {
      switch (live.stream().next()) {
        case NodeStream.Frame.Started _, NodeStream.Frame.Beat _, NodeStream.Frame.Pause _ -> {}
        case NodeStream.Frame.Output(NodeStream.Channel channel, byte[] bytes, int length) -> {
          switch (channel) {
            case STDOUT -> stdout.write(bytes, 0, length);
            case STDERR -> stderr.write(bytes, 0, length);
          }
        }
        case NodeStream.Frame.End(Run run) -> {
          return run instanceof Run.Finished finished
              ? new Answer.Done<>(
                  new Result(
                      finished,
                      stdout.toString(StandardCharsets.UTF_8),
                      stderr.toString(StandardCharsets.UTF_8)))
              : unfinished(live.sandboxId(), run);
        }
      }
    }
  }

  /** An end that is none, as an answer. */
  public static <T> Answer.Refused<T> refused(Run run) {
    return switch (run) {
      case Run.Finished _ -> throw new IllegalArgumentException("It has finished: " + run);
      case Run.NeverBegan(Run.Cause cause, String detail) ->
          new Answer.Refused<>(
              switch (cause) {
                case NOT_RUNNING -> Waking.NOT_RUNNING;
                case NODE_UNAVAILABLE -> "node_unavailable";
                case TOO_MANY -> "too_many_requests";
                case NOT_POSSIBLE -> "invalid_request";
              },
              detail,
              Aftermath.NOTHING);
      case Run.Forgotten _ -> refused(new Run.Unknown("The sandbox does not know it."));
      case Run.Unknown(String detail) ->
          new Answer.Refused<>(
              "execution_outcome_unknown",
              detail + " The command may have run; the sandbox's events tell what is known.",
              Aftermath.DOUBT);
    };
  }
}
