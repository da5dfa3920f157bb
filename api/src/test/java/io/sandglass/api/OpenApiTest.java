package io.sandglass.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.api.resources.OpenApi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The committed document is the one that the code makes. {@code -Dsandglass.api.record=true} writes
 * it anew.
 */
final class OpenApiTest {
  private static final Path COMMITTED = Path.of("openapi.yaml");

  @Test
  void theCommittedDocumentIsCurrent() throws IOException {
    String made = OpenApi.yaml("0.1.0");
    if (Boolean.getBoolean("sandglass.api.record")) {
      Files.writeString(COMMITTED, made);
    }
    assertThat(Files.readString(COMMITTED)).isEqualTo(made);
  }
}
