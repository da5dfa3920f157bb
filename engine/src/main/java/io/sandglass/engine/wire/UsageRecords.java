package io.sandglass.engine.wire;

import io.sandglass.engine.usage.Interval;
import io.sandglass.engine.usage.Subject;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import java.time.Instant;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;

/** Writes what is charged for. */
public final class UsageRecords {
  private UsageRecords() {}

  public static SpecificRecord write(Interval interval) {
    Subject subject = interval.subject();
    return new UsageInterval(
        interval.id().toString(),
        subject.org(),
        subject.sandboxId(),
        subject.template().id(),
        subject.template().name(),
        new Size(subject.size().name(), subject.size().cpuMillis(), subject.size().memoryBytes()),
        Codes.of(interval.use()),
        interval.from(),
        interval.to(),
        interval.millis(),
        interval.reverses().map(UUID::toString).orElse(null));
  }

  /** Tells that one partition's sandboxes are charged for, for good, up to a time. */
  public static SpecificRecord watermark(
      int sourcePartition, int sourcePartitions, Instant completeThrough) {
    return new UsageWatermark(sourcePartition, sourcePartitions, completeThrough);
  }
}
