package io.sandglass.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaFormatter;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.SchemaValidatorBuilder;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.Test;

/**
 * The history holds what is written today, and what was written before stays readable. After a
 * deliberate change of a record, {@code mvn -pl schemas test -Dsandglass.schemas.record=true}
 * appends the new version.
 */
class SchemaHistoryTest {
  private static final Path SOURCES = Path.of("src/main/resources/schema-history");

  /** Records that are only ever a part of another one. */
  private static final List<String> PARTS =
      List.of(
          "CommandMeta",
          "EventMeta",
          "Egress",
          "TemplateRef",
          "Size",
          "StartSpec",
          "Patience",
          "ReportOrigin",
          "WarmStock");

  @Test
  void everyCurrentSchemaIsTheLastOfItsHistory() throws Exception {
    if (Boolean.getBoolean("sandglass.schemas.record")) {
      append();
      return;
    }
    Map<String, Schema> current = currentSchemas();
    assertThat(SchemaHistory.records()).containsExactlyElementsOf(current.keySet());
    for (String name : SchemaHistory.records()) {
      List<Schema> versions = SchemaHistory.versions(name);
      assertThat(SchemaNormalization.toParsingForm(versions.get(versions.size() - 1)))
          .as("last recorded schema of %s; see the javadoc of this test", name)
          .isEqualTo(SchemaNormalization.toParsingForm(current.get(name)));
    }
  }

  @Test
  void everyVersionReadsEveryOther() {
    var validator = new SchemaValidatorBuilder().mutualReadStrategy().validateAll();
    for (String name : SchemaHistory.records()) {
      List<Schema> versions = new ArrayList<>(SchemaHistory.versions(name));
      while (versions.size() > 1) {
        Schema last = versions.remove(versions.size() - 1);
        assertThatCode(() -> validator.validate(last, versions))
            .as(name)
            .doesNotThrowAnyException();
      }
    }
  }

  @Test
  void noTopLevelRecordIsAUnionOfRecords() throws Exception {
    assertThat(currentSchemas().values())
        .allSatisfy(
            record ->
                assertThat(record.getFields())
                    .allSatisfy(
                        field ->
                            assertThat(
                                    field.schema().isUnion()
                                        && field.schema().getTypes().stream()
                                                .filter(
                                                    type -> type.getType() == Schema.Type.RECORD)
                                                .count()
                                            > 1)
                                .as("%s.%s is a union of records", record.getName(), field.name())
                                .isFalse()));
  }

  private static Map<String, Schema> currentSchemas() throws IOException, ClassNotFoundException {
    Path classes = Path.of("target/classes/io/sandglass/schemas");
    Map<String, Schema> schemas = new TreeMap<>();
    try (Stream<Path> files = Files.list(classes)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = file.getFileName().toString().replace(".class", "");
        if (name.contains("$") || name.equals("package-info") || PARTS.contains(name)) {
          continue;
        }
        Class<?> type = Class.forName("io.sandglass.schemas." + name);
        if (SpecificRecord.class.isAssignableFrom(type)) {
          schemas.put(name, SpecificData.get().getSchema(type));
        }
      }
    }
    return schemas;
  }

  private static void append() throws Exception {
    StringBuilder index = new StringBuilder();
    for (var entry : currentSchemas().entrySet()) {
      Path folder = Files.createDirectories(SOURCES.resolve(entry.getKey()));
      int count;
      try (Stream<Path> files = Files.list(folder)) {
        count = (int) files.count();
      }
      String now = SchemaNormalization.toParsingForm(entry.getValue());
      boolean recorded =
          count > 0
              && SchemaNormalization.toParsingForm(
                      new Schema.Parser().parse(Files.readString(folder.resolve(count + ".avsc"))))
                  .equals(now);
      if (!recorded) {
        count++;
        Files.writeString(
            folder.resolve(count + ".avsc"),
            SchemaFormatter.getInstance("json/pretty").format(entry.getValue()) + "\n");
      }
      index.append(entry.getKey()).append(' ').append(count).append('\n');
    }
    Files.writeString(SOURCES.resolve("index.txt"), index);
  }
}
