package io.sandglass.engine.stream;

import io.sandglass.engine.lifecycle.Deadline;
import org.apache.kafka.common.utils.Bytes;

/** Where the engine's stores can be read while it runs: the topics that they are restored from. */
public final class Changelogs {
  private Changelogs() {}

  /** What is due for which sandbox. */
  public record Due(String sandboxId, Deadline deadline) {}

  /** Values are those of {@link io.sandglass.engine.wire.StateCodec}, keys are sandbox ids. */
  public static String sandboxes(String applicationId) {
    return topic(applicationId, Names.SANDBOXES_STORE);
  }

  /** Keys are for {@link #due}; one without a value is due no more. */
  public static String deadlines(String applicationId) {
    return topic(applicationId, Names.DEADLINES_STORE);
  }

  /** The content of a key in the deadlines' topic. */
  public static Due due(byte[] key) {
    Bytes bytes = Bytes.wrap(key);
    return new Due(DeadlineIndex.sandboxId(bytes), DeadlineIndex.deadline(bytes));
  }

  private static String topic(String applicationId, String store) {
    return applicationId + "-" + store + "-changelog";
  }
}
