package io.sandglass.schemas;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.message.SchemaStore;
import org.apache.avro.specific.SpecificData;

/**
 * Every schema that any release has written, from this jar's {@code schema-history}: a folder per
 * record, {@code 1.avsc}, {@code 2.avsc}, …, the last being the current one. The history only
 * grows, so that any log ever written can be read.
 */
final class SchemaHistory {
  static final String ROOT = "/schema-history/";

  private static final Map<Long, Schema> WRITERS = new HashMap<>();
  private static final Map<Long, Schema> CURRENT = new HashMap<>();

  static {
    for (String name : records()) {
      Schema current = SpecificData.get().getSchema(recordClass(name));
      for (Schema version : versions(name)) {
        long fingerprint = SchemaNormalization.parsingFingerprint64(version);
        WRITERS.put(fingerprint, version);
        CURRENT.put(fingerprint, current);
      }
    }
  }

  /** Finds the schema a message was written with, for Avro's own decoder. */
  static final SchemaStore STORE = WRITERS::get;

  private SchemaHistory() {}

  /**
   * The current schema of the record whose writer schema has this fingerprint; empty when no
   * release wrote it.
   */
  static Optional<Schema> currentOf(long fingerprint) {
    return Optional.ofNullable(CURRENT.get(fingerprint));
  }

  /** The names of the top-level records, as the index lists them. */
  static List<String> records() {
    return List.copyOf(index().keySet());
  }

  /** The schemas of one record, oldest first. */
  static List<Schema> versions(String name) {
    return IntStream.rangeClosed(1, index().get(name))
        .mapToObj(version -> parse(name + "/" + version + ".avsc"))
        .toList();
  }

  /** Lines of {@code index.txt}: record name, space, number of versions. */
  private static Map<String, Integer> index() {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(open("index.txt"), StandardCharsets.UTF_8))) {
      Map<String, Integer> versions = new LinkedHashMap<>();
      lines
          .lines()
          .map(line -> line.split(" ", 2))
          .forEach(parts -> versions.put(parts[0], Integer.valueOf(parts[1])));
      return versions;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Schema parse(String path) {
    try (InputStream in = open(path)) {
      return new Schema.Parser().parse(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InputStream open(String path) {
    InputStream in = SchemaHistory.class.getResourceAsStream(ROOT + path);
    if (in == null) {
      throw new IllegalStateException("The schema history lacks " + path);
    }
    return in;
  }

  private static Class<?> recordClass(String name) {
    try {
      return Class.forName(SchemaHistory.class.getPackageName() + "." + name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(
          "The schema history knows a record that no longer exists: " + name, e);
    }
  }
}
