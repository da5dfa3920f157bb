package io.sandglass.api.domain;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * How far somebody has read: the next offset of every partition of the log. A partition's events
 * become visible in their order, so nothing can appear behind a cursor, whatever becomes visible
 * first; and because it names places in the log and not in a database, it outlives the projection.
 *
 * @param next without the partitions of which nothing was read
 */
public record HistoryCursor(SortedMap<Integer, Long> next) {
  private static final int RADIX = 36;
  private static final String PREFIX = "h1";

  /** Far more partitions than a topic of ours may have, each with up to 2^59 events. */
  private static final Pattern FORM = Pattern.compile("h1(-[0-9a-z]{0,11}){0,1024}");

  public static final HistoryCursor START = new HistoryCursor(Collections.emptySortedMap());

  public HistoryCursor {
    TreeMap<Integer, Long> copy = new TreeMap<>(next);
    copy.values().removeIf(offset -> offset == 0);
    next = Collections.unmodifiableSortedMap(copy);
  }

  public static HistoryCursor of(Map<Integer, Long> next) {
    return new HistoryCursor(new TreeMap<>(next));
  }

  /** The next offset of a partition. */
  public long in(int partition) {
    return next.getOrDefault(partition, 0L);
  }

  /** With an event read. */
  public HistoryCursor after(int partition, long offset) {
    TreeMap<Integer, Long> further = new TreeMap<>(next);
    further.merge(partition, offset + 1, Math::max);
    return new HistoryCursor(further);
  }

  /** With everything read that the other has read. */
  public HistoryCursor and(HistoryCursor other) {
    TreeMap<Integer, Long> further = new TreeMap<>(next);
    other.next.forEach((partition, offset) -> further.merge(partition, offset, Math::max));
    return new HistoryCursor(further);
  }

  /** As clients keep it, without looking inside. */
  public String text() {
    StringBuilder text = new StringBuilder(PREFIX);
    int written = 0;
    for (Map.Entry<Integer, Long> entry : next.entrySet()) {
      text.repeat("-", entry.getKey() - written + 1).append(Long.toString(entry.getValue(), RADIX));
      written = entry.getKey() + 1;
    }
    return text.toString();
  }

  /** Empty for what no {@link #text} ever was. */
  public static Optional<HistoryCursor> parse(String text) {
    if (!FORM.matcher(text).matches()) {
      return Optional.empty();
    }
    String[] offsets = text.split("-", -1);
    TreeMap<Integer, Long> next = new TreeMap<>();
    for (int i = 1; i < offsets.length; i++) {
      if (!offsets[i].isEmpty()) {
        next.put(i - 1, Long.parseLong(offsets[i], RADIX));
      }
    }
    return Optional.of(new HistoryCursor(next));
  }
}
