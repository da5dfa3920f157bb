package io.sandglass.engine.stream;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A consumer that waits long when nothing happens and only briefly right after something did.
 *
 * <p>A Streams thread commits between two polls. With one long poll time a record may stay
 * uncommitted, and its outcome invisible, for as long as the next poll waits; with one short poll
 * time the thread never sleeps (0.3-0.7 of a core for nothing, measured). So: short polls until a
 * commit interval has certainly gone by, then long ones, from which arriving records wake it.
 */
final class AlertConsumer extends KafkaConsumer<byte[], byte[]> {
  /** Short polls after a record: together they outlast the commit interval. */
  private static final int SHORT_POLLS = 3;

  private final Duration shortPoll;
  private int shortPollsLeft;

  AlertConsumer(Map<String, Object> config, Duration shortPoll) {
    super(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    this.shortPoll = shortPoll;
  }

  @Override
  public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    boolean brief = shortPollsLeft > 0 && timeout.compareTo(shortPoll) > 0;
    ConsumerRecords<byte[], byte[]> records = super.poll(brief ? shortPoll : timeout);
    shortPollsLeft = records.isEmpty() ? Math.max(0, shortPollsLeft - 1) : SHORT_POLLS;
    return records;
  }
}
