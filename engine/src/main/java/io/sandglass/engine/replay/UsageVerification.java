package io.sandglass.engine.replay;

import io.sandglass.engine.audit.Finding;
import io.sandglass.schemas.Topic;
import java.time.Instant;
import java.util.function.Consumer;

/** Folds the whole log and compares it with {@code sandbox.usage}, to the millisecond. */
public final class UsageVerification {
  private final Log log;
  private final Consumer<Finding> findings;
  private final Runnable progress;

  /**
   * @param progress run for every record that was read
   */
  public UsageVerification(Log log, Consumer<Finding> findings, Runnable progress) {
    this.log = log;
    this.findings = findings;
    this.progress = progress;
  }

  /** What was compared. */
  public record Extent(long told, long events, long intervals, Instant completeThrough) {}

  public Extent run() {
    UsageCheck check = new UsageCheck(findings);
    // What is told is in the events already that are read after it.
    long told = read(Topic.USAGE, check::told);
    long events = read(Topic.EVENTS, check::event);
    UsageCheck.Extent extent = check.finish();
    return new Extent(told, events, extent.intervals(), extent.completeThrough());
  }

  private interface Taker {
    void take(String where, byte[] value);
  }

  private long read(Topic topic, Taker taker) {
    long[] records = {0};
    String name = topic.topicName();
    for (int partition = 0; partition < log.partitions(name); partition++) {
      String prefix = name + "-" + partition + "@";
      log.read(
          name,
          partition,
          log.end(name, partition),
          record -> {
            records[0]++;
            taker.take(prefix + record.offset(), record.value());
            progress.run();
          });
    }
    return records[0];
  }
}
