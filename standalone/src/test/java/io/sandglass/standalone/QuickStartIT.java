package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the README's quick start, word for word. */
class QuickStartIT {
  private static final Pattern SCRIPT =
      Pattern.compile("<!-- quick start:.*?-->\\s*```bash\\n(.*?)```", Pattern.DOTALL);

  @Test
  void theQuickStartWorks(@TempDir Path home) throws Exception {
    Path data = Files.createDirectory(home.resolve("var"));
    Matcher readme = SCRIPT.matcher(Files.readString(Path.of("../README.md")));
    assertThat(readme.find()).as("a quick start in the README").isTrue();

    try (SandglassProcess sandglass = SandglassProcess.start(data)) {
      assertThat(Files.getPosixFilePermissions(data.resolve("sandglass.env")))
          .as("permissions of the keys")
          .isEqualTo(java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));

      Process bash =
          new ProcessBuilder("bash", "-euo", "pipefail", "-c", readme.group(1) + "\necho id=$id")
              .directory(home.toFile())
              .redirectErrorStream(true)
              .start();
      List<String> output =
          new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      assertThat(bash.waitFor()).as("%s", output).isZero();
      assertThat(output).anyMatch(line -> line.contains("\"stdout\": \"42\\n\""));
      String id = output.get(output.size() - 1).substring("id=".length());

      ApiClient api = sandglass.client();
      Awaitility.await("the expiry")
          .atMost(Duration.ofSeconds(90))
          .until(() -> api.status(id).equals("destroyed"));
      assertThat(api.get("/v1/sandboxes/" + id).expect(200).text("reason")).isEqualTo("expired");
      Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> Containers.of(id).isEmpty());

      assertThat(tool(data, "audit", "verify")).isEmpty();
      assertThat(tool(data, "verify")).isEmpty();
      assertThat(tool(data, "replay", "--sandbox", id)).contains("SandboxEnded reason=expired");
    }
  }

  /** What {@code bin/tool} prints, beside the process that is up. */
  private static String tool(Path data, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("../bin/tool"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("DATA", data.toString());
    Path err = Files.createTempFile(data, "tool", ".err");
    Process tool = builder.redirectError(err.toFile()).start();
    String printed = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(tool.waitFor()).as("%s%n%s", printed, Files.readString(err)).isZero();
    return printed;
  }
}
