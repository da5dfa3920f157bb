package io.sandglass.standalone;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** One part of Sandglass, from its own jar, in a process of its own. */
final class PartProcess {
  private PartProcess() {}

  /**
   * @param part engine, executor or api
   * @param log is appended to
   */
  static Process start(String part, Path log, Map<String, String> environment) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    ProcessBuilder builder =
        new ProcessBuilder(
            java.toString(),
            "-Xmx512m",
            // None lives for long: compiling quickly is worth more than compiling well.
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-jar",
            "../%1$s/target/%1$s-0.1.0.jar".formatted(part));
    builder.environment().putAll(environment);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }
}
