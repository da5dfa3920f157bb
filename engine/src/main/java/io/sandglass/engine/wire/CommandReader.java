package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.ExecutionKind;
import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.engine.lifecycle.Refusal;
import io.sandglass.schemas.BeginExecution;
import io.sandglass.schemas.ChangeEgress;
import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.CreateSandbox;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.DestroySandbox;
import io.sandglass.schemas.KeepAlive;
import io.sandglass.schemas.NoteRefusal;
import io.sandglass.schemas.SuspendSandbox;
import io.sandglass.schemas.TouchSandbox;
import io.sandglass.schemas.WakeSandbox;
import io.sandglass.schemas.WireFormat;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;

/** Reads commands and reports. */
public final class CommandReader {
  private final Patience patience;

  /**
   * @param patience what a sandbox created now gets for its life
   */
  public CommandReader(Patience patience) {
    this.patience = patience;
  }

  /** Never throws for any content of {@code value}. */
  public Incoming read(byte[] value) {
    if (value == null) {
      return new Incoming.Unreadable("no value");
    }
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(SpecificRecord record) -> read(record);
      case Decoded.Unknown(long fingerprint) ->
          new Incoming.Unreadable("unknown schema %016x".formatted(fingerprint));
      case Decoded.Malformed(String reason) -> new Incoming.Unreadable(reason);
    };
  }

  private Incoming read(SpecificRecord record) {
    try {
      return switch (record) {
        case CreateSandbox create ->
            asked(
                create.getMeta(),
                new Command.Create(
                    client(create.getMeta()),
                    Specs.read(create, patience),
                    Optional.ofNullable(create.getClaimedOn()),
                    create.getClaimedOn() != null));
        case KeepAlive keepAlive ->
            asked(
                keepAlive.getMeta(),
                new Command.KeepAlive(
                    client(keepAlive.getMeta()),
                    Optional.ofNullable(keepAlive.getTimeoutMs())
                        .map(millis -> Durations.read("timeout_ms", millis))));
        case SuspendSandbox suspend ->
            asked(suspend.getMeta(), new Command.Suspend(client(suspend.getMeta())));
        case WakeSandbox wake -> asked(wake.getMeta(), new Command.Wake(client(wake.getMeta())));
        case DestroySandbox destroy ->
            asked(destroy.getMeta(), new Command.Destroy(client(destroy.getMeta())));
        case ChangeEgress change ->
            asked(
                change.getMeta(),
                new Command.ChangeEgress(client(change.getMeta()), Specs.read(change.getEgress())));
        case BeginExecution begin ->
            asked(
                begin.getMeta(),
                new Command.BeginExecution(
                    client(begin.getMeta()),
                    begin.getExecutionId(),
                    Codes.read(ExecutionKind.class, begin.getKind()),
                    begin.getSubject(),
                    Durations.read("timeout_ms", begin.getTimeoutMs()),
                    Optional.ofNullable(begin.getThawedVersion())));
        case TouchSandbox touch ->
            asked(
                touch.getMeta(),
                new Command.Touch(
                    client(touch.getMeta()),
                    touch.getWhat(),
                    Optional.ofNullable(touch.getThawedVersion())));
        case NoteRefusal note ->
            asked(
                note.getMeta(),
                new Command.NoteRefusal(
                    client(note.getMeta()),
                    note.getMeta().getSandboxId().equals(note.getMeta().getOrgId())
                        ? Command.Subject.ORGANIZATION
                        : Command.Subject.SANDBOX,
                    new Refusal(
                        Codes.read(Refusal.Code.class, note.getCode()),
                        note.getOperation(),
                        note.getDetail(),
                        note.getSuppressed())));
        // The wire is open: whatever else a release may write.
        default -> ReportReader.read(record);
      };
    } catch (UnreadableException e) {
      return new Incoming.Unreadable(record.getSchema().getName() + ": " + e.getMessage());
    }
  }

  private static Incoming asked(CommandMeta meta, Command.Request request) {
    return new Incoming.Asked(envelope(meta), request);
  }

  private static Command.Caller client(CommandMeta meta) {
    return caller(meta, Optional.of(meta.getOrgId()));
  }

  static Command.Caller caller(CommandMeta meta, Optional<String> org) {
    return new Command.Caller(
        org,
        meta.getActor(),
        Optional.ofNullable(meta.getRequestId()),
        Optional.of(meta.getCommandId()));
  }

  static Envelope envelope(CommandMeta meta) {
    return new Envelope(
        meta.getCommandId(),
        meta.getSandboxId(),
        meta.getOrgId(),
        Optional.ofNullable(meta.getRequestId()),
        Optional.ofNullable(meta.getReplyPartition()),
        Optional.ofNullable(meta.getFingerprint()));
  }
}
