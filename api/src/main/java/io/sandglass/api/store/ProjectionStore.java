package io.sandglass.api.store;

import io.sandglass.api.domain.CommandResult;
import io.sandglass.api.domain.Decision;
import io.sandglass.api.domain.Ids;
import io.sandglass.api.domain.Sandbox;
import io.sandglass.api.domain.SandboxEvent;
import io.sandglass.api.domain.SandboxHistory;
import io.sandglass.api.domain.Status;
import io.sandglass.api.domain.Usage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/**
 * Folds the log into tables. What a batch changes and how far it reached are written in one
 * transaction, under a lock on the partition's offset, so a batch that is delivered twice, or by
 * two readers during a rebalance, changes nothing the second time.
 */
public final class ProjectionStore {
  private final Jdbi jdbi;

  public ProjectionStore(Jdbi jdbi) {
    this.jdbi = jdbi;
  }

  /** Where to read on; empty when the partition was never read. */
  public OptionalLong nextOffset(String topic, int partition) {
    return jdbi.withHandle(
        handle ->
            handle
                .createQuery(
                    "SELECT next_offset FROM projection_offsets"
                        + " WHERE topic = :topic AND partition_number = :partition")
                .bind("topic", topic)
                .bind("partition", partition)
                .mapTo(Long.class)
                .findOne()
                .map(OptionalLong::of)
                .orElseGet(OptionalLong::empty));
  }

  /** How far each partition was read. */
  public static Map<Integer, Long> offsets(Handle handle, String topic) {
    return handle
        .createQuery(
            "SELECT partition_number, next_offset FROM projection_offsets WHERE topic = :topic")
        .bind("topic", topic)
        .reduceRows(
            new HashMap<>(),
            (offsets, row) -> {
              offsets.put(row.getColumn(1, Integer.class), row.getColumn(2, Long.class));
              return offsets;
            });
  }

  /** Returns the ids of those in whose histories something is new. */
  public Set<String> apply(List<LogBatch> batches) {
    return jdbi.inTransaction(
        handle -> {
          List<EventStore.Placed> events = new ArrayList<>();
          List<CommandResult> results = new ArrayList<>();
          List<Usage> usage = new ArrayList<>();
          for (LogBatch batch : batches) {
            long from = lockOffset(handle, batch.topic(), batch.partition());
            for (LogBatch.Read read : batch.entries()) {
              if (read.offset() >= from) {
                switch (read.entry()) {
                  case LogEntry.Happened(SandboxEvent event) ->
                      events.add(new EventStore.Placed(batch.partition(), read.offset(), event));
                  case LogEntry.Decided(CommandResult result) -> results.add(result);
                  case LogEntry.Used(Usage told) -> usage.add(told);
                }
              }
            }
            advance(handle, batch);
          }
          CommandStore.record(handle, results);
          QuotaStore.refused(handle, neverMade(results));
          UsageStore.append(handle, usage);
          return fold(handle, events);
        });
  }

  /** Forgets everything that can be read from the events again. */
  public void clear() {
    jdbi.useTransaction(
        handle -> {
          ProjectedTable.ALL.forEach(table -> handle.execute("DELETE FROM " + table.name()));
          handle.execute("DELETE FROM projection_offsets");
        });
  }

  /** What was asked for and refused, as far as nothing is known of it. */
  private static Set<String> neverMade(List<CommandResult> results) {
    return results.stream()
        .filter(
            result ->
                result.decision() instanceof Decision.Rejected rejected && rejected.version() == 0)
        .map(CommandResult::sandboxId)
        .collect(Collectors.toSet());
  }

  private static Set<String> fold(Handle handle, List<EventStore.Placed> events) {
    if (events.isEmpty()) {
      return Set.of();
    }
    Set<String> ids =
        events.stream()
            .map(placed -> placed.event().header().sandboxId())
            .collect(Collectors.toSet());
    Map<String, Sandbox> before = load(handle, ids);
    Map<String, Sandbox> after = new LinkedHashMap<>(before);
    List<EventStore.Placed> news = new ArrayList<>();
    List<Sandbox> snapshots = new ArrayList<>();
    Set<String> organizations = new HashSet<>();
    for (EventStore.Placed placed : events) {
      SandboxEvent event = placed.event();
      String id = event.header().sandboxId();
      if (event.header().isOfOrganization()) {
        news.add(placed);
        organizations.add(id);
        continue;
      }
      Sandbox known = after.get(id);
      Sandbox next = SandboxHistory.after(Optional.ofNullable(known), event);
      if (known == null || next.version() > known.version()) {
        news.add(placed);
        after.put(id, next);
        if (next.version() % EventStore.SNAPSHOT_EVERY == 0) {
          snapshots.add(next.withoutEnvValues());
        }
      }
    }
    EventStore.append(handle, news);
    remember(handle, snapshots);
    ExecutionStore.fold(handle, news);
    Map<String, Sandbox> changed = new LinkedHashMap<>();
    after.forEach(
        (id, sandbox) -> {
          if (!sandbox.equals(before.get(id))) {
            changed.put(id, sandbox);
          }
        });
    save(handle, before.keySet(), changed);
    organizations.addAll(changed.keySet());
    return organizations;
  }

  private static Map<String, Sandbox> load(Handle handle, Set<String> ids) {
    Map<String, Sandbox> found = new HashMap<>();
    handle
        .createQuery("SELECT * FROM sandboxes WHERE id IN (<ids>)")
        .bindList("ids", List.copyOf(ids))
        .map(new SandboxRow())
        .forEach(sandbox -> found.put(sandbox.id(), sandbox));
    return found;
  }

  private static void remember(Handle handle, List<Sandbox> snapshots) {
    if (snapshots.isEmpty()) {
      return;
    }
    PreparedBatch rows = handle.prepareBatch(SandboxRow.INSERT_SNAPSHOT);
    snapshots.forEach(sandbox -> SandboxRow.bindAll(rows, sandbox).add());
    rows.execute();
  }

  private static void save(Handle handle, Set<String> existing, Map<String, Sandbox> changed) {
    if (changed.isEmpty()) {
      return;
    }
    PreparedBatch inserts = handle.prepareBatch(SandboxRow.INSERT);
    PreparedBatch updates = handle.prepareBatch(SandboxRow.UPDATE);
    PreparedBatch pairs =
        handle.prepareBatch(
            "INSERT INTO sandbox_metadata (sandbox_id, pair_hash) VALUES (:id, :hash)");
    PreparedBatch ended = handle.prepareBatch("DELETE FROM sandbox_keys WHERE sandbox_id = :id");
    for (Sandbox sandbox : changed.values()) {
      if (existing.contains(sandbox.id())) {
        SandboxRow.bindChanging(updates, sandbox).add();
      } else {
        SandboxRow.bindAll(inserts, sandbox).add();
        sandbox
            .spec()
            .metadata()
            .forEach(
                (name, content) ->
                    pairs.bind("id", sandbox.id()).bind("hash", Ids.digest(name, content)).add());
      }
      if (sandbox.status() == Status.DESTROYED) {
        ended.bind("id", sandbox.id()).add();
      }
    }
    for (PreparedBatch batch : List.of(inserts, updates, pairs, ended)) {
      if (batch.size() > 0) {
        batch.execute();
      }
    }
    QuotaStore.fold(
        handle,
        changed.values().stream()
            .filter(
                sandbox -> sandbox.status() == Status.DESTROYED || !existing.contains(sandbox.id()))
            .toList());
  }

  private static long lockOffset(Handle handle, String topic, int partition) {
    handle
        .createUpdate(
            "INSERT INTO projection_offsets (topic, partition_number, next_offset)"
                + " VALUES (:topic, :partition, 0) ON CONFLICT DO NOTHING")
        .bind("topic", topic)
        .bind("partition", partition)
        .execute();
    return handle
        .createQuery(
            "SELECT next_offset FROM projection_offsets"
                + " WHERE topic = :topic AND partition_number = :partition FOR UPDATE")
        .bind("topic", topic)
        .bind("partition", partition)
        .mapTo(Long.class)
        .one();
  }

  private static void advance(Handle handle, LogBatch batch) {
    handle
        .createUpdate(
            "UPDATE projection_offsets SET next_offset = :next"
                + " WHERE topic = :topic AND partition_number = :partition AND next_offset < :next")
        .bind("topic", batch.topic())
        .bind("partition", batch.partition())
        .bind("next", batch.nextOffset())
        .execute();
  }
}
