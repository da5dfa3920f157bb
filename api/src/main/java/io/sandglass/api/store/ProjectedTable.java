package io.sandglass.api.store;

import java.util.List;

/**
 * A table that is folded from the events and from usage alone, and can be folded again.
 *
 * @param key columns that name a row
 */
record ProjectedTable(String name, List<String> key) {
  static final List<ProjectedTable> ALL =
      List.of(
          new ProjectedTable("sandboxes", List.of("id")),
          new ProjectedTable("sandbox_snapshots", List.of("id", "version")),
          new ProjectedTable("sandbox_metadata", List.of("sandbox_id", "pair_hash")),
          new ProjectedTable("events", List.of("sandbox_id", "version")),
          new ProjectedTable("executions", List.of("sandbox_id", "id")),
          new ProjectedTable("usage_intervals", List.of("id")),
          new ProjectedTable("usage_watermarks", List.of("source_partition")));
}
