package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Command;
import io.sandglass.schemas.CommandOutcome;
import io.sandglass.schemas.DeadLetter;
import io.sandglass.schemas.RemoveContainer;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.apache.avro.specific.SpecificRecord;

/** Writes what the engine sends besides events. */
public final class Letters {
  private Letters() {}

  /** What became of a command. */
  public static SpecificRecord outcome(Envelope envelope, Receipt receipt) {
    return new CommandOutcome(
        envelope.commandId(),
        envelope.sandboxId(),
        envelope.org(),
        envelope.requestId().orElse(null),
        receipt.code().isEmpty(),
        receipt.code().map(Codes::of).orElse(null),
        receipt.detail().orElse(null),
        receipt.version(),
        receipt.at());
  }

  /** The order to remove what was found and does not belong. */
  public static SpecificRecord removal(String sandboxId, Command.Origin found, String why) {
    return new RemoveContainer(sandboxId, found.incarnation(), found.node(), why);
  }

  /** What could not be processed, whole. */
  public static SpecificRecord deadLetter(
      String topic,
      int partition,
      long offset,
      byte[] key,
      byte[] value,
      String reason,
      Instant at) {
    return new DeadLetter(
        topic,
        partition,
        offset,
        key == null ? null : ByteBuffer.wrap(key),
        value == null ? null : ByteBuffer.wrap(value),
        reason,
        at);
  }
}
