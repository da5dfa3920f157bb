package io.sandglass.api.store;

import io.sandglass.api.domain.Usage;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.result.RowView;
import org.jdbi.v3.core.statement.PreparedBatch;

/** What organizations are charged for. */
public final class UsageStore {
  private static final long DAY_MILLIS = Duration.ofDays(1).toMillis();

  /** No interval is longer, which bounds what has to be looked at. */
  private static final long LONGEST_MILLIS = Duration.ofHours(1).toMillis();

  /** What usage can be added up by, in the order in which groups are told apart and sorted. */
  public enum GroupBy {
    DAY("from_ms / " + DAY_MILLIS),
    SANDBOX("sandbox_id"),
    TEMPLATE("template_id", "template_name"),
    SIZE("size_name", "cpu_millis", "memory_bytes");

    @SuppressWarnings("ImmutableEnumChecker") // only ever List.of
    private final List<String> expressions;

    GroupBy(String... expressions) {
      this.expressions = List.of(expressions);
    }
  }

  /**
   * Which usage.
   *
   * @param from what came before is cut off
   * @param to what came after is cut off
   */
  public record Query(String orgId, Instant from, Instant to, Set<GroupBy> groupBy) {
    public Query {
      groupBy = groupBy.isEmpty() ? Set.of() : EnumSet.copyOf(groupBy);
    }
  }

  /** A group; what usage is not added up by is null. */
  public record Group(
      LocalDate day, String sandboxId, String templateId, String template, String size) {}

  /** Milliseconds by state. */
  public record Sums(long running, long frozen, long stopped) {
    Sums plus(String state, long millis) {
      return switch (state) {
        case "running" -> new Sums(running + millis, frozen, stopped);
        case "frozen" -> new Sums(running, frozen + millis, stopped);
        case "stopped" -> new Sums(running, frozen, stopped + millis);
        default -> throw new IllegalStateException("No state of usage: " + state);
      };
    }
  }

  /**
   * Usage added up.
   *
   * @param completeThrough up to when it is final; empty while that is not known
   */
  public record Report(Optional<Instant> completeThrough, Map<Group, Sums> groups) {}

  private final Jdbi jdbi;

  public UsageStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  /**
   * Adds up.
   *
   * @return empty when there are more groups than {@code limit}
   */
  public Optional<Report> report(Query query, int limit) {
    return jdbi.withHandle(
        handle -> {
          // First: what it promises is there for every statement from now on.
          Optional<Instant> completeThrough = completeThrough(handle);
          List<String> columns =
              query.groupBy().stream().flatMap(by -> by.expressions.stream()).toList();
          String keys = columns.stream().map(column -> column + ", ").collect(Collectors.joining());
          Map<Group, Sums> groups = new LinkedHashMap<>();
          handle
              .createQuery(
                  "SELECT "
                      + keys
                      + "state, SUM((LEAST(to_ms, :to) - GREATEST(from_ms, :from))"
                      + " * CASE WHEN reverses IS NULL THEN 1 ELSE -1 END)"
                      + " FROM usage_intervals WHERE org_id = :org"
                      + " AND from_ms < :to AND to_ms > :from AND from_ms > :earliest"
                      + " GROUP BY "
                      + keys
                      + "state ORDER BY "
                      + keys
                      + "state LIMIT :limit")
              .bind("org", query.orgId())
              .bind("from", query.from().toEpochMilli())
              .bind("earliest", query.from().toEpochMilli() - LONGEST_MILLIS)
              .bind("to", query.to().toEpochMilli())
              .bind("limit", 3 * (limit + 1))
              .reduceRows(
                  groups,
                  (sums, row) -> {
                    int column = columns.size() + 1;
                    sums.put(
                        group(query.groupBy(), row),
                        sums.getOrDefault(group(query.groupBy(), row), new Sums(0, 0, 0))
                            .plus(
                                row.getColumn(column, String.class),
                                row.getColumn(column + 1, Long.class)));
                    return sums;
                  });
          return groups.size() > limit
              ? Optional.<Report>empty()
              : Optional.of(new Report(completeThrough, groups));
        });
  }

  private static Group group(Set<GroupBy> groupBy, RowView row) {
    int column = 1;
    LocalDate day = null;
    String sandbox = null;
    String templateId = null;
    String template = null;
    String size = null;
    for (GroupBy by : groupBy) {
      switch (by) {
        case DAY -> day = LocalDate.ofEpochDay(row.getColumn(column, Long.class));
        case SANDBOX -> sandbox = row.getColumn(column, String.class);
        case TEMPLATE -> {
          templateId = row.getColumn(column, String.class);
          template = row.getColumn(column + 1, String.class);
        }
        case SIZE -> size = row.getColumn(column, String.class);
      }
      column += by.expressions.size();
    }
    return new Group(day, sandbox, templateId, template, size);
  }

  /** The earliest of all partitions; empty until each has told. */
  private static Optional<Instant> completeThrough(Handle handle) {
    return handle
        .createQuery(
            "SELECT MIN(complete_through_ms) FROM usage_watermarks"
                + " HAVING COUNT(*) = MAX(source_partitions)")
        .mapTo(Long.class)
        .findOne()
        .map(Instant::ofEpochMilli);
  }

  static void append(Handle handle, List<Usage> usage) {
    if (usage.isEmpty()) {
      return;
    }
    PreparedBatch intervals =
        handle.prepareBatch(
            "INSERT INTO usage_intervals (id, org_id, sandbox_id, template_id, template_name,"
                + " size_name, cpu_millis, memory_bytes, state, from_ms, to_ms, reverses)"
                + " VALUES (:id, :org, :sandbox, :templateId, :templateName, :size, :cpu, :memory,"
                + " :state, :from, :to, :reverses) ON CONFLICT DO NOTHING");
    List<Usage.Watermark> watermarks = new ArrayList<>();
    for (Usage told : usage) {
      switch (told) {
        case Usage.Interval interval ->
            intervals
                .bind("id", interval.id())
                .bind("org", interval.orgId())
                .bind("sandbox", interval.sandboxId())
                .bind("templateId", interval.templateId())
                .bind("templateName", interval.templateName())
                .bind("size", interval.size().name())
                .bind("cpu", interval.size().cpuMillis())
                .bind("memory", interval.size().memoryBytes())
                .bind("state", interval.state())
                .bind("from", interval.from().toEpochMilli())
                .bind("to", interval.to().toEpochMilli())
                .bind("reverses", interval.reverses())
                .add();
        case Usage.Watermark watermark -> watermarks.add(watermark);
      }
    }
    if (intervals.size() > 0) {
      intervals.execute();
    }
    watermarks.forEach(watermark -> advance(handle, watermark));
  }

  /** A computation that began anew tells times again that were passed before. */
  private static void advance(Handle handle, Usage.Watermark watermark) {
    handle
        .createUpdate(
            "INSERT INTO usage_watermarks"
                + " (source_partition, source_partitions, complete_through_ms)"
                + " VALUES (:partition, :partitions, :through) ON CONFLICT DO NOTHING")
        .bind("partition", watermark.sourcePartition())
        .bind("partitions", watermark.sourcePartitions())
        .bind("through", watermark.completeThrough().toEpochMilli())
        .execute();
    handle
        .createUpdate(
            "UPDATE usage_watermarks SET complete_through_ms = :through,"
                + " source_partitions = :partitions"
                + " WHERE source_partition = :partition AND complete_through_ms < :through")
        .bind("partition", watermark.sourcePartition())
        .bind("partitions", watermark.sourcePartitions())
        .bind("through", watermark.completeThrough().toEpochMilli())
        .execute();
  }
}
