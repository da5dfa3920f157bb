package io.sandglass.standalone;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One part of Sandglass, from its own jar, in a process of its own. */
final class PartProcess {

  /**
   * Flags of a JVM that does not live for long: compiling quickly is worth more than compiling
   * well. The code cache that comes with it by default is so small that the whole heap is collected
   * whenever another part of it is full.
   */
  static final List<String> SHORT_LIVED =
      List.of("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m");

  private PartProcess() {}

  /**
   * @param part engine, executor or api
   * @param log is appended to
   */
  static Process start(String part, Path log, Map<String, String> environment) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> command = new ArrayList<>(List.of(java.toString(), "-Xmx512m"));
    command.addAll(SHORT_LIVED);
    command.addAll(
        List.of(
            "-XX:+UseParallelGC",
            "--enable-native-access=ALL-UNNAMED",
            "-jar",
            "../%1$s/target/%1$s-0.1.0.jar".formatted(part)));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }
}
