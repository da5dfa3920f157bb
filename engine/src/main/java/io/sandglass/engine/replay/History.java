package io.sandglass.engine.replay;

import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.lifecycle.Deadline;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Refusal;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Stage;
import io.sandglass.engine.lifecycle.Status;
import io.sandglass.engine.lifecycle.Tenure;
import io.sandglass.schemas.Topic;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** One sandbox's history, read aloud: every event, and the state after it. */
public final class History {
  private static final String EVENTS = Topic.EVENTS.topicName();

  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private final Log log;
  private final Consumer<Finding> findings;

  public History(Log log, Consumer<Finding> findings) {
    this.log = log;
    this.findings = findings;
  }

  /** Tells it line by line; returns how many events it has. */
  public long tell(String sandboxId, Consumer<String> line) {
    byte[] key = sandboxId.getBytes(StandardCharsets.UTF_8);
    int partition = log.partition(EVENTS, key);
    Fold fold = new Fold(findings);
    long[] events = {0};
    log.read(
        EVENTS,
        partition,
        log.end(EVENTS, partition),
        record -> {
          if (Arrays.equals(record.key(), key)) {
            fold.next(record)
                .ifPresent(
                    folded -> {
                      events[0]++;
                      describe(folded.recorded().event(), folded.after()).forEach(line);
                    });
          }
        });
    return events[0];
  }

  /** An event and the state after it. */
  static List<String> describe(Event event, Sandbox after) {
    Event.Header header = event.header();
    StringBuilder why = new StringBuilder("by " + header.actor());
    why.append(", a ").append(words(header.cause()));
    header.dueAt().ifPresent(due -> why.append(", due ").append(due));
    header.requestId().ifPresent(id -> why.append(", request ").append(id));
    header.commandId().ifPresent(id -> why.append(", command ").append(id));
    return List.of(
        printable(
            "%d  %s  %s %s"
                .formatted(
                    header.version(),
                    header.at(),
                    event.fact().getClass().getSimpleName(),
                    details(event.fact()))),
        printable("   " + why),
        "   -> " + state(after));
  }

  /** What a client wrote must not move the cursor of who reads it. */
  private static String printable(String text) {
    return CONTROL.matcher(text).replaceAll("\uFFFD").stripTrailing();
  }

  private static String details(Fact fact) {
    return switch (fact) {
      case Fact.SandboxRequested requested ->
          "template=%s image=%s size=%s mode=%s egress=%s node=%s%s"
              .formatted(
                  requested.spec().template().name(),
                  requested.spec().template().image(),
                  requested.spec().size().name(),
                  requested.spec().mode(),
                  requested.spec().egress().mode(),
                  requested.node(),
                  requested.expiresAt().map(at -> " expires_at=" + at).orElse(""));
      case Fact.PlacementChanged moved ->
          "from=%s to=%s: %s".formatted(moved.leftNode(), moved.node(), moved.detail());
      case Fact.SandboxStarted _, Fact.SandboxResumed _ -> "";
      case Fact.SuspendRequested asked ->
          "depth=%s reason=%s attempt=%d"
              .formatted(words(asked.depth()), words(asked.reason()), asked.attempt());
      case Fact.SandboxSuspended done ->
          "depth=%s reason=%s".formatted(words(done.depth()), words(done.reason()));
      case Fact.SuspendFailed failed -> failed.detail();
      case Fact.ResumeRequested asked ->
          "depth=%s attempt=%d".formatted(words(asked.depth()), asked.attempt());
      case Fact.ResumeFailed failed -> failed.detail();
      case Fact.ActivityRecorded activity -> activity.what();
      case Fact.TimeoutExtended extended -> "expires_at=" + extended.expiresAt();
      case Fact.EgressChanged changed -> changed.egress().toString();
      case Fact.ExecutionStarted started ->
          "%s %s: %s".formatted(words(started.kind()), started.executionId(), started.subject());
      case Fact.ExecutionFinished finished ->
          "%s %s: %s".formatted(words(finished.kind()), finished.executionId(), finished.result());
      case Fact.StopRequested asked ->
          "reason=%s attempt=%d: %s"
              .formatted(words(asked.reason()), asked.attempt(), asked.detail());
      case Fact.SandboxEnded ended ->
          "reason=%s%s: %s"
              .formatted(
                  words(ended.reason()),
                  ended.aliveUntil().map(at -> " alive_until=" + at).orElse(""),
                  ended.detail());
      case Fact.RequestRefused(Refusal refusal) ->
          "%s: %s (%s)%s"
              .formatted(
                  refusal.operation(),
                  words(refusal.code()),
                  refusal.detail(),
                  refusal.suppressed() == 0
                      ? ""
                      : " and %d more like it before".formatted(refusal.suppressed()));
    };
  }

  /** A state, for people. */
  static String state(Sandbox sandbox) {
    String status = words(Status.of(sandbox));
    return switch (sandbox) {
      case Sandbox.Absent _ -> status;
      case Sandbox.Ended ended ->
          "%s, reason=%s node=%s life=%d"
              .formatted(status, words(ended.reason()), ended.node(), ended.incarnation());
      case Sandbox.Live(Tenure tenure, Stage stage, long _) ->
          "%s (%s), node=%s life=%d in_flight=%d%s"
              .formatted(
                  status,
                  words(stage.getClass().getSimpleName()),
                  tenure.node(),
                  tenure.incarnation(),
                  tenure.inFlight().size(),
                  due(sandbox));
    };
  }

  private static String due(Sandbox sandbox) {
    StringBuilder text = new StringBuilder();
    for (Deadline deadline : Deadline.of(sandbox)) {
      text.append(" due=").append(words(deadline.kind())).append('@').append(deadline.due());
    }
    return text.toString();
  }

  private static String words(Enum<?> code) {
    return words(code.name());
  }

  private static String words(String name) {
    return name.toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
