package io.sandglass.api.control;

import io.sandglass.api.domain.Command;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.store.SandboxStore;
import java.time.InstantSource;
import java.util.OptionalLong;

/**
 * Has requests that were turned down noted in the history of those whom they were about: of each
 * key so many an hour, and how many more there were.
 */
public final class Refusals {

  /**
   * A request that was turned down.
   *
   * @param origin who asked
   * @param operation what was asked for, by its operationId
   * @param code why
   * @param detail what the client is told
   */
  public record Refused(Origin origin, String operation, String code, String detail) {}

  private final CommandLog log;
  private final SandboxStore sandboxes;
  private final RefusalBound bound;
  private final Ids ids;
  private final InstantSource clock;

  /**
   * @param mostAnHour how many are noted of one key's, for one reason, in the history of one
   *     organization
   */
  public Refusals(
      CommandLog log, SandboxStore sandboxes, int mostAnHour, Ids ids, InstantSource clock) {
    this.log = log;
    this.sandboxes = sandboxes;
    this.bound = new RefusalBound(mostAnHour);
    this.ids = ids;
    this.clock = clock;
  }

  /**
   * It was about a sandbox of another organization.
   *
   * @throws LogUnavailableException when it is not known to be noted
   */
  public void ofSandbox(String sandboxId, Refused refused) {
    sandboxes.find(sandboxId).ifPresent(sandbox -> note(sandbox.orgId(), sandbox.id(), refused));
  }

  /**
   * It was about no sandbox, but about what its organization may have.
   *
   * @throws LogUnavailableException when it is not known to be noted
   */
  public void ofOrganization(Refused refused) {
    note(refused.origin().orgId(), refused.origin().orgId(), refused);
  }

  private void note(String orgId, String subject, Refused refused) {
    Origin origin = refused.origin();
    RefusalBound.Kind kind = new RefusalBound.Kind(origin.actor(), orgId, refused.code());
    OptionalLong suppressed = bound.admit(kind, clock.instant());
    if (suppressed.isEmpty()) {
      return;
    }
    Origin concerned = new Origin(orgId, origin.actor(), origin.requestId(), null, null);
    try {
      log.append(
          new Command.NoteRefusal(
              concerned.header(subject, ids),
              refused.code(),
              refused.operation(),
              refused.detail(),
              suppressed.getAsLong()));
    } catch (LogUnavailableException e) {
      bound.failed(kind, suppressed.getAsLong());
      throw e;
    }
  }
}
