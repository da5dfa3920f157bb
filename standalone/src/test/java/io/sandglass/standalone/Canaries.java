package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Values that are used, and then to be found nowhere, whatever the form. */
final class Canaries {
  private final List<String> values = new ArrayList<>();

  /** A value like one of these that may be found: it proves that looking works. */
  static String mark() {
    byte[] bytes = new byte[15];
    new SecureRandom().nextBytes(bytes);
    return "canary" + HexFormat.of().formatHex(bytes);
  }

  String next() {
    String value = mark();
    values.add(value);
    return value;
  }

  void add(String value) {
    values.add(value);
  }

  void assertNone(String where, String text) {
    for (String value : values) {
      forms(value)
          .forEach(
              (form, spelled) ->
                  assertThat(text.contains(spelled))
                      .as("%s holds a secret, %s", where, form)
                      .isFalse());
    }
  }

  void assertNoneBelow(Path directory) throws IOException {
    for (Path file : files(directory)) {
      assertNone(file.toString(), content(file));
    }
  }

  /** Below which of a directory's own entries there are files that hold the text. */
  static Set<String> found(Path directory, String text) throws IOException {
    return files(directory).stream()
        .filter(file -> content(file).contains(text))
        .map(file -> directory.relativize(file).getName(0).toString())
        .collect(Collectors.toSet());
  }

  /** All but the file for the user, and Kafka's indexes, which are large and hold numbers. */
  private static List<Path> files(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = file.getFileName().toString();
            if (attributes.isRegularFile()
                && !name.equals("sandglass.env")
                && !name.endsWith("index")) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE; // gone meanwhile
          }
        });
    return files;
  }

  /** Byte for byte; nothing of a file that is gone meanwhile. */
  private static String content(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, String> forms(String canary) {
    byte[] bytes = canary.getBytes(StandardCharsets.UTF_8);
    String hex = HexFormat.of().formatHex(bytes);
    return Map.of(
        "plain", canary,
        "reversed", new StringBuilder(canary).reverse().toString(),
        "in UTF-16",
            new String(canary.getBytes(StandardCharsets.UTF_16LE), StandardCharsets.ISO_8859_1),
        "in hexadecimal", hex,
        "in capital hexadecimal", hex.toUpperCase(Locale.ROOT),
        "in base64", base64(bytes, 0),
        "in base64, after one byte", base64(bytes, 1),
        "in base64, after two bytes", base64(bytes, 2));
  }

  /** What base64 makes of the bytes behind others, without the characters that depend on those. */
  private static String base64(byte[] bytes, int behind) {
    byte[] all = new byte[behind + bytes.length];
    System.arraycopy(bytes, 0, all, behind, bytes.length);
    String text = Base64.getEncoder().withoutPadding().encodeToString(all);
    return text.substring(behind == 0 ? 0 : behind + 1, text.length() - 1);
  }
}
