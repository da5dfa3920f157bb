package io.sandglass.engine.wire;

import io.sandglass.engine.usage.Interval;
import io.sandglass.engine.usage.Subject;
import io.sandglass.schemas.Decoded;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.UsageInterval;
import io.sandglass.schemas.UsageWatermark;
import io.sandglass.schemas.WireFormat;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;

/** Writes what is charged for, and reads it back. */
public final class UsageRecords {
  private UsageRecords() {}

  /** What a record of {@code sandbox.usage} tells. */
  public sealed interface Told {

    /**
     * An interval or a reversal.
     *
     * @param text all that it says
     */
    record Piece(String id, Optional<String> reverses, Instant to, long millis, String text)
        implements Told {}

    record Complete(int partition, int partitions, Instant through) implements Told {}

    record Unreadable(String reason) implements Told {}
  }

  /** Never throws for any content of {@code value}. */
  public static Told read(byte[] value) {
    if (value == null) {
      return new Told.Unreadable("no value");
    }
    return switch (WireFormat.decode(value)) {
      case Decoded.Known(UsageInterval interval) -> piece(interval);
      case Decoded.Known(UsageWatermark watermark) ->
          new Told.Complete(
              watermark.getSourcePartition(),
              watermark.getSourcePartitions(),
              watermark.getCompleteThrough());
      case Decoded.Known(SpecificRecord other) ->
          new Told.Unreadable("not usage: " + other.getSchema().getName());
      case Decoded.Unknown(long fingerprint) ->
          new Told.Unreadable(
              "its schema %016x is not one of this release's".formatted(fingerprint));
      case Decoded.Malformed(String reason) -> new Told.Unreadable(reason);
    };
  }

  /** As it is told. */
  public static Told.Piece piece(Interval interval) {
    return piece(record(interval));
  }

  private static Told.Piece piece(UsageInterval interval) {
    return new Told.Piece(
        interval.getIntervalId(),
        Optional.ofNullable(interval.getReverses()),
        interval.getTo(),
        interval.getDurationMs(),
        interval.toString());
  }

  public static SpecificRecord write(Interval interval) {
    return record(interval);
  }

  private static UsageInterval record(Interval interval) {
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
