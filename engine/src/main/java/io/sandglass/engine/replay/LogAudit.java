package io.sandglass.engine.replay;

import io.sandglass.engine.audit.ChainCheck;
import io.sandglass.engine.audit.CheckpointCheck;
import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.audit.PublicKeys;
import io.sandglass.engine.wire.CheckpointRecords;
import io.sandglass.engine.wire.EventReader;
import io.sandglass.engine.wire.EventReader.Reading;
import io.sandglass.engine.wire.UnreadableException;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** Checks the chains and the checkpoints of the whole log. */
public final class LogAudit {
  private static final String EVENTS = Topic.EVENTS.topicName();
  private static final String CHECKPOINTS = Topic.CHECKPOINTS.topicName();

  /** How long the events of a checkpoint that was just written may take to be committed as well. */
  private static final Duration SETTLING = Duration.ofSeconds(5);

  private final Log log;
  private final PublicKeys keys;
  private final Consumer<Finding> findings;
  private final Runnable progress;

  public LogAudit(Log log, PublicKeys keys, Consumer<Finding> findings, Runnable progress) {
    this.log = log;
    this.keys = keys;
    this.findings = findings;
    this.progress = progress;
  }

  /**
   * What was checked.
   *
   * @param unsigned events that no checkpoint covers, because they are newer than the last
   */
  public record Extent(long events, long checkpoints, long unsigned) {
    Extent plus(Extent other) {
      return new Extent(
          events + other.events, checkpoints + other.checkpoints, unsigned + other.unsigned);
    }
  }

  public Extent run() {
    Extent extent = new Extent(0, 0, 0);
    for (int partition = 0; partition < log.partitions(EVENTS); partition++) {
      extent = extent.plus(partition(partition));
    }
    return extent;
  }

  private Extent partition(int partition) {
    // First the checkpoints: then all that they speak of is there when the events are read.
    CheckpointCheck checkpoints = new CheckpointCheck(partition, keys, findings);
    log.read(
        CHECKPOINTS,
        partition,
        log.end(CHECKPOINTS, partition),
        record -> checkpoint(checkpoints, record));
    ChainCheck chain = new ChainCheck(partition, checkpoints.believed(), findings);
    long read = log.beginning(EVENTS, partition);
    Instant patience = Instant.now().plus(SETTLING);
    do {
      long end = log.end(EVENTS, partition);
      log.read(EVENTS, partition, read, end, record -> event(chain, record));
      read = end;
    } while (!chain.isComplete() && Instant.now().isBefore(patience));
    chain.end();
    return new Extent(chain.events(), checkpoints.believed().size(), chain.unsigned());
  }

  private static void checkpoint(CheckpointCheck check, ConsumerRecord<byte[], byte[]> record) {
    try {
      check.checkpoint(record.offset(), CheckpointRecords.read(record.value()));
    } catch (UnreadableException e) {
      check.unreadable(record.offset(), e.getMessage());
    }
  }

  private void event(ChainCheck check, ConsumerRecord<byte[], byte[]> record) {
    byte[] key = record.key() == null ? new byte[0] : record.key();
    byte[] value = record.value() == null ? new byte[0] : record.value();
    Header header = record.headers().lastHeader(ChainHash.HEADER);
    check.event(
        record.offset(),
        key,
        value,
        Optional.ofNullable(header).map(Header::value),
        switch (EventReader.read(value)) {
          case Reading.Read(EventReader.Recorded recorded) ->
              Optional.of(
                  new ChainCheck.Says(recorded.sandboxId(), recorded.event().header().version()));
          case Reading.Unreadable _ -> Optional.empty();
        });
    progress.run();
  }
}
