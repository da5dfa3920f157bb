package io.sandglass.api.store;

import java.util.List;

/**
 * A stretch of one partition.
 *
 * @param nextOffset where the next stretch begins
 */
public record LogBatch(String topic, int partition, List<Read> entries, long nextOffset) {

  /** An entry and where it stands. */
  public record Read(long offset, LogEntry entry) {}

  public LogBatch {
    entries = List.copyOf(entries);
  }

  /** What of it lies before an offset. */
  public LogBatch upTo(long end) {
    return new LogBatch(
        topic,
        partition,
        entries.stream().filter(read -> read.offset() < end).toList(),
        Math.min(nextOffset, end));
  }
}
