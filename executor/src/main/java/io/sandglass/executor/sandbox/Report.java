package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.runtime.FoundContainer.Exit;
import java.util.Optional;

/**
 * What this node tells the log about a sandbox: as the answer to an order, or unasked.
 *
 * @param subject its version is that of the order answered; 0 unasked
 */
public record Report(Order.Subject subject, Content content) {

  /** What is told. */
  public sealed interface Content {}

  /**
   * @param warm whether it was a spare's container
   */
  public record Started(boolean warm) implements Content {}

  public record StartFailed(String detail) implements Content {}

  public record Refused(String detail) implements Content {}

  public record Suspended(Depth depth) implements Content {}

  public record SuspendFailed(String detail) implements Content {}

  public record Resumed() implements Content {}

  public record ResumeFailed(String detail) implements Content {}

  public record Exited(Exit exit, String detail) implements Content {}

  public record Gone(String detail) implements Content {}

  /**
   * Asks whether the container belongs here.
   *
   * @param phase "running", "frozen" or "stopped"
   * @param occasion tells this asking from others, which are to be answered too
   */
  public record Observed(String phase, String occasion) implements Content {}

  /**
   * Asks for the memory that a frozen one sleeps in.
   *
   * @param occasion tells this asking from others, which are to be answered too
   */
  public record MemoryWanted(String occasion) implements Content {}

  public record ExecutionEnded(ExecutionEnd end) implements Content {}

  /**
   * The same report has the same id, however often and by whichever process it is made, so that the
   * engine takes it once.
   */
  public String id() {
    String kind = content.getClass().getSimpleName();
    Optional<String> distinction =
        switch (content) {
          case Started _,
              StartFailed _,
              Refused _,
              Suspended _,
              SuspendFailed _,
              Resumed _,
              ResumeFailed _,
              Gone _ ->
              Optional.empty();
          // A sandbox may exit, be resumed and exit again in one life.
          case Exited exited -> Optional.of(Long.toString(exited.exit().at().toEpochMilli()));
          case Observed observed -> Optional.of(observed.occasion());
          case MemoryWanted wanted -> Optional.of(wanted.occasion());
          case ExecutionEnded ended -> Optional.of(ended.end().executionId());
        };
    return "rep_"
        + subject.life().sandboxId()
        + "_"
        + subject.life().incarnation()
        + "_"
        + subject.version()
        + "_"
        + kind
        + distinction.map(d -> "_" + d).orElse("");
  }
}
