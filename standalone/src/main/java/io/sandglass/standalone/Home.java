package io.sandglass.standalone;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The data directory: the log, the database, the engine's state, and the file that tells a user how
 * to get in.
 */
final class Home {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String CREDENTIALS = "sandglass.env";

  private final Path root;

  private Home(Path root) {
    this.root = root;
  }

  static Home open(Path root) throws IOException {
    Path absolute = root.toAbsolutePath().normalize();
    Files.createDirectories(absolute);
    return new Home(absolute);
  }

  Path directory(String name) {
    return root.resolve(name);
  }

  /** The name under which this machine's executor is known to the log: made up once. */
  String nodeId() throws IOException {
    Path file = root.resolve("node-id");
    if (!Files.exists(file)) {
      byte[] suffix = new byte[6];
      RANDOM.nextBytes(suffix);
      writePrivately(file, "node-" + HexFormat.of().formatHex(suffix) + "\n");
    }
    return Files.readString(file).strip();
  }

  /** What {@code sandglass.env} holds; empty before the first start. */
  Map<String, String> credentials() throws IOException {
    Path file = root.resolve(CREDENTIALS);
    if (!Files.exists(file)) {
      return Map.of();
    }
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .map(line -> line.split("=", 2))
          .filter(parts -> parts.length == 2)
          .collect(
              Collectors.toMap(
                  parts -> parts[0], parts -> parts[1], (_, last) -> last, LinkedHashMap::new));
    }
  }

  void writeCredentials(Map<String, String> values) throws IOException {
    writePrivately(
        root.resolve(CREDENTIALS),
        values.entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue() + "\n")
            .collect(Collectors.joining()));
  }

  static String newSecret() {
    byte[] secret = new byte[32];
    RANDOM.nextBytes(secret);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
  }

  /** Whole or not at all, and never readable by others. */
  private static void writePrivately(Path file, String content) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    Path draft =
        Files.createTempFile(
            directory,
            ".draft",
            "",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(draft, content.getBytes(UTF_8));
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
