package io.sandglass.api.domain;

import java.time.Duration;
import java.util.Optional;

/** What a client wants of one sandbox. */
public sealed interface Command {
  Header header();

  /**
   * Whom it is from and how it is recognised when it arrives twice.
   *
   * @param fingerprint hash of the request; null when the client gave no idempotency key
   */
  record Header(
      String commandId,
      String sandboxId,
      String orgId,
      String actor,
      String requestId,
      String fingerprint) {}

  /**
   * @param claimedOn the node that has a container set aside for it
   */
  record Create(Header header, SandboxSpec spec, Optional<String> claimedOn) implements Command {}

  /**
   * @param timeout null for the sandbox's own
   */
  record KeepAlive(Header header, Duration timeout) implements Command {}

  record ChangeEgress(Header header, EgressPolicy egress) implements Command {}

  record Suspend(Header header) implements Command {}

  record Wake(Header header) implements Command {}

  record Destroy(Header header) implements Command {}

  /** Says that the sandbox is used, which needs it awake. */
  sealed interface Use extends Command {

    /**
     * The same, of one that its node has thawed for it.
     *
     * @param version of the sandbox, frozen
     */
    Use thawed(long version);
  }

  /**
   * Appended before it begins.
   *
   * @param thawed as of {@link Use#thawed}
   */
  record BeginExecution(
      Header header,
      String executionId,
      Kind kind,
      String subject,
      Duration timeout,
      Optional<Long> thawed)
      implements Use {

    @Override
    public BeginExecution thawed(long version) {
      return new BeginExecution(header, executionId, kind, subject, timeout, Optional.of(version));
    }

    /** What is about to begin. */
    public enum Kind {
      COMMAND,
      /** A command that goes on without its caller. */
      DETACHED,
      UPLOAD,
      DOWNLOAD
    }
  }

  /**
   * What was about to begin certainly never did, and the node does not know of it; nobody waits for
   * its outcome.
   *
   * @param failure why
   */
  record NeverBegan(
      Header header, String executionId, String nodeId, int incarnation, String failure)
      implements Command {}

  /**
   * A request that was turned down, for those who audit; nobody waits for its outcome. The header's
   * organization is the one in whose history it goes, its sandbox the one it was about, or that
   * organization itself.
   *
   * @param operation what was asked for, by its operationId
   * @param detail what the client was told
   * @param suppressed how many more there were since the last one that was noted
   */
  record NoteRefusal(Header header, String code, String operation, String detail, long suppressed)
      implements Command {}

  /**
   * Use that is no execution.
   *
   * @param thawed as of {@link Use#thawed}
   */
  record Touch(Header header, String what, Optional<Long> thawed) implements Use {

    @Override
    public Touch thawed(long version) {
      return new Touch(header, what, Optional.of(version));
    }
  }
}
