package io.sandglass.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.util.RandomData;
import org.junit.jupiter.api.Test;

/**
 * A record of every version of every schema, as bytes that its release could have written, and as
 * what they say: today's code reads the same. Neither they nor the schemas are ever changed; the
 * sums say so. {@code -Dsandglass.schemas.record=true} adds what is missing.
 */
class SampleBytesTest {
  private static final Path SCHEMAS = Path.of("src/main/resources/schema-history");
  private static final Path SAMPLES = Path.of("src/test/resources/schema-samples");
  private static final String SUMS = "SHA256SUMS";
  private static final long SEED = 1;

  @Test
  void everyVersionIsReadAsItWasWritten() throws Exception {
    if (Boolean.getBoolean("sandglass.schemas.record")) {
      record();
      return;
    }
    ObjectMapper json = new ObjectMapper();
    for (String name : SchemaHistory.records()) {
      for (int version = 1; version <= SchemaHistory.versions(name).size(); version++) {
        Path sample = SAMPLES.resolve(name).resolve(version + ".sample");
        assertThat(sample).as("record it: see the javadoc of this test").exists();
        List<String> lines = Files.readAllLines(sample);
        Decoded decoded = WireFormat.decode(Base64.getDecoder().decode(lines.get(0)));
        assertThat(decoded).as("%s", sample).isInstanceOf(Decoded.Known.class);
        assertSaysAll(
            sample,
            json.readTree(lines.get(1)),
            json.readTree(generic(((Decoded.Known) decoded).record())));
      }
    }
  }

  @Test
  void whatWasRecordedStaysAsItIs() throws Exception {
    Set<Path> summed = new HashSet<>();
    for (Path sums : files(SAMPLES).filter(file -> file.endsWith(SUMS)).toList()) {
      for (String line : Files.readAllLines(sums)) {
        Path file = Path.of(line.substring(66));
        assertThat(sum(file)).as("%s", file).isEqualTo(line.substring(0, 64));
        summed.add(file);
      }
    }
    Set<Path> all = new HashSet<>(files(SAMPLES).filter(file -> !file.endsWith(SUMS)).toList());
    files(SCHEMAS).filter(file -> file.toString().endsWith(".avsc")).forEach(all::add);
    assertThat(summed).as("record them: see the javadoc of this test").isEqualTo(all);
  }

  /** Fields may have come since. */
  private static void assertSaysAll(Path sample, JsonNode then, JsonNode now) {
    for (Map.Entry<String, JsonNode> field : then.properties()) {
      JsonNode same = now.get(field.getKey());
      if (field.getValue().isObject() && same != null && same.isObject()) {
        assertSaysAll(sample, field.getValue(), same);
      } else {
        assertThat(same).as("%s: %s", sample, field.getKey()).isEqualTo(field.getValue());
      }
    }
  }

  /** As JSON, times as the numbers that they are on the wire. */
  private static String generic(org.apache.avro.specific.SpecificRecord record) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(WireFormat.encode(record));
    Object plain =
        new org.apache.avro.message.BinaryMessageDecoder<Object>(
                new GenericData(), record.getSchema())
            .decode(bytes, null);
    return new GenericData().toString(plain);
  }

  private static void record() throws Exception {
    for (String name : SchemaHistory.records()) {
      Path folder = Files.createDirectories(SAMPLES.resolve(name));
      Path sums = folder.resolve(SUMS);
      Map<Path, String> known = new TreeMap<>();
      List<Schema> versions = SchemaHistory.versions(name);
      for (int version = 1; version <= versions.size(); version++) {
        Path sample = folder.resolve(version + ".sample");
        if (!Files.exists(sample)) {
          Files.write(sample, sample(versions.get(version - 1)));
        }
        known.put(sample, sum(sample));
        Path schema = SCHEMAS.resolve(name).resolve(version + ".avsc");
        known.put(schema, sum(schema));
      }
      StringBuilder text = new StringBuilder();
      known.forEach((file, sum) -> text.append(sum).append("  ").append(file).append('\n'));
      Files.writeString(sums, text);
    }
  }

  /** The bytes, and what they say. */
  private static List<String> sample(Schema schema) throws IOException {
    Object random = new RandomData(schema, 1, SEED).iterator().next();
    ByteBuffer bytes = new BinaryMessageEncoder<>(new GenericData(), schema).encode(random);
    byte[] array = new byte[bytes.remaining()];
    bytes.get(array);
    return List.of(Base64.getEncoder().encodeToString(array), new GenericData().toString(random));
  }

  private static String sum(Path file) throws Exception {
    return HexFormat.of()
        .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
  }

  private static Stream<Path> files(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).sorted().toList().stream();
    }
  }
}
