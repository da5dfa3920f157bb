package io.sandglass.engine.audit;

import io.sandglass.schemas.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Reads the checkpoints of one partition, and believes those that are signed. */
public final class CheckpointCheck {
  private final int partition;
  private final PublicKeys keys;
  private final Consumer<Finding> findings;
  private final List<Checkpoint> believed = new ArrayList<>();
  private long sequence;

  public CheckpointCheck(int partition, PublicKeys keys, Consumer<Finding> findings) {
    this.partition = partition;
    this.keys = keys;
    this.findings = findings;
  }

  /** The next record of the topic. */
  public void checkpoint(long offset, Checkpoint.Signed signed) {
    Checkpoint checkpoint = signed.checkpoint();
    if (!keys.vouchFor(signed)) {
      found(
          offset,
          "checkpoint %d is not signed by a key that is trusted (its key is %s, trusted are %s)"
              .formatted(checkpoint.sequence(), signed.keyId(), keys.ids()));
    } else if (checkpoint.partition() != partition) {
      found(offset, "checkpoint %d is of another partition".formatted(checkpoint.sequence()));
    } else if (checkpoint.sequence() <= sequence) {
      found(
          offset,
          "checkpoint %d comes again, after checkpoint %d"
              .formatted(checkpoint.sequence(), sequence));
    } else {
      if (checkpoint.sequence() > sequence + 1) {
        found(
            offset,
            "checkpoints %d to %d are missing before it"
                .formatted(sequence + 1, checkpoint.sequence() - 1));
      }
      sequence = checkpoint.sequence();
      believed.add(checkpoint);
    }
  }

  /** A record of the topic that is none. */
  public void unreadable(long offset, String reason) {
    found(offset, "is no checkpoint: " + reason);
  }

  /** Those to check the events with, oldest first. */
  public List<Checkpoint> believed() {
    return List.copyOf(believed);
  }

  private void found(long offset, String what) {
    findings.accept(
        new Finding("%s-%d@%d".formatted(Topic.CHECKPOINTS.topicName(), partition, offset), what));
  }
}
