package io.sandglass.engine.replay;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SequenceWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.sandglass.engine.audit.Finding;
import io.sandglass.engine.wire.EventRow;
import io.sandglass.schemas.Topic;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;

/** Writes events out, for tools that don't speak Kafka. */
public final class LogExport {
  private static final String EVENTS = Topic.EVENTS.topicName();
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .addModule(new JavaTimeModule())
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .build();

  /** What is written for an event. */
  public enum Format {
    /** A JSON object a line. */
    NDJSON,
    /** With a header; what is a type's own as JSON in the last column. */
    CSV
  }

  /**
   * Which events.
   *
   * @param from the first moment that counts
   * @param to the first that doesn't any more
   */
  public record Selection(Optional<String> org, Optional<Instant> from, Optional<Instant> to) {
    boolean has(EventRow row) {
      return org.filter(one -> !one.equals(row.org())).isEmpty()
          && from.filter(row.at()::isBefore).isEmpty()
          && to.filter(end -> !row.at().isBefore(end)).isEmpty();
    }
  }

  private final Log log;
  private final Consumer<Finding> findings;
  private final Runnable progress;

  /**
   * @param findings told of every record that is no event
   */
  public LogExport(Log log, Consumer<Finding> findings, Runnable progress) {
    this.log = log;
    this.findings = findings;
    this.progress = progress;
  }

  /** Partition by partition, so every sandbox's events in their order; returns how many. */
  public long run(Selection selection, Format format, OutputStream out) throws IOException {
    long[] written = {0};
    try (SequenceWriter rows = writer(format, out)) {
      for (int partition = 0; partition < log.partitions(EVENTS); partition++) {
        log.read(
            EVENTS,
            partition,
            log.end(EVENTS, partition),
            record -> {
              Optional<EventRow> row = EventRow.read(record.value());
              if (row.isEmpty()) {
                findings.accept(
                    new Finding(
                        "%s-%d@%d".formatted(EVENTS, record.partition(), record.offset()),
                        "is no event that this release can read"));
              }
              row.filter(selection::has)
                  .ifPresent(
                      one -> {
                        write(rows, format, one);
                        written[0]++;
                      });
              progress.run();
            });
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return written[0];
  }

  private static SequenceWriter writer(Format format, OutputStream out) throws IOException {
    ObjectWriter writer =
        switch (format) {
          case NDJSON -> JSON.writer().withRootValueSeparator("\n");
          case CSV -> {
            CsvSchema.Builder columns = CsvSchema.builder();
            for (var component : EventRow.class.getRecordComponents()) {
              columns.addColumn(
                  component
                      .getAccessor()
                      .getAnnotation(com.fasterxml.jackson.annotation.JsonProperty.class)
                      .value());
            }
            yield new CsvMapper().writer(columns.build().withHeader());
          }
        };
    return writer.without(JsonGenerator.Feature.AUTO_CLOSE_TARGET).writeValues(out);
  }

  private static void write(SequenceWriter rows, Format format, EventRow row) {
    try {
      switch (format) {
        case NDJSON -> rows.write(row);
        case CSV -> rows.write(flat(row));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ObjectNode flat(EventRow row) throws JsonProcessingException {
    ObjectNode flat = JSON.valueToTree(row);
    JsonNode data = flat.get("data");
    return flat.put("data", JSON.writeValueAsString(data));
  }
}
