package io.sandglass.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What root in a sandbox can reach: the classes of escapes that docs/security.md lists. */
@ExtendWith(SharedSandglass.class)
class IsolationIT {
  /** Probes whose every attempt must be refused, with whatever error. */
  private static final List<String> REFUSED =
      List.of(
          "core_pattern",
          "modprobe",
          "sysrq",
          "uevent_helper",
          "kernel memory",
          "modules",
          "disk of the host",
          "mount",
          "unshare",
          "setns",
          "chroot",
          "pivot_root",
          "open_by_handle_at",
          "bpf",
          "io_uring",
          "userfaultfd",
          "perf_event_open",
          "keyctl",
          "kexec",
          "reboot",
          "kernel log",
          "clock",
          "x86 i/o ports",
          "crypto sockets",
          "virtual machine sockets",
          "packet sockets",
          "raw sockets",
          "guest binary",
          "guest socket",
          "guest memory",
          "guest traced",
          "hostname");

  /** Probes that must find nothing. */
  private static final List<String> EMPTY =
      List.of(
          "host mounts",
          "writable kernel mounts",
          "control groups",
          "processes of others",
          "devices",
          "token");

  /** CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID. */
  private static final String KEPT = "00000000000000fb";

  private static final Map<String, List<String>> EXACT =
      Map.of(
          "docker socket", List.of("/.sandglass/host.sock"),
          "first process", List.of("guest"),
          "capabilities", List.of(KEPT, KEPT, KEPT),
          "ambient capabilities", List.of("0000000000000000"),
          "no new privileges", List.of("1"),
          "seccomp", List.of("2"),
          "guest killed", List.of("alive"),
          "setuid programs gain nothing", List.of("true"));

  private static ApiClient api;

  @BeforeAll
  static void start(ApiClient organization) {
    api = organization;
  }

  @Test
  void rootInASandboxReachesNothingOutside() throws IOException {
    String id = api.create("{\"template\": \"python\", \"timeout\": \"10m\"}");
    JsonNode found =
        new ObjectMapper()
            .readTree(
                api.execute(id, "python3 - <<'END'\n" + probes() + "\nEND\n")
                    .expect(200)
                    .text("stdout"));

    List<String> names = new ArrayList<>();
    found.fieldNames().forEachRemaining(names::add);
    assertThat(new TreeSet<>(names))
        .as("every probe has an expectation")
        .isEqualTo(
            new TreeSet<>(
                Stream.of(REFUSED, EMPTY, EXACT.keySet())
                    .flatMap(names2 -> names2.stream())
                    .toList()));
    for (String name : REFUSED) {
      assertThat(values(found.get(name))).as(name).isNotEmpty().doesNotContain("done");
    }
    for (String name : EMPTY) {
      assertThat(values(found.get(name))).as(name).isEmpty();
    }
    EXACT.forEach(
        (name, expected) -> assertThat(values(found.get(name))).as(name).isEqualTo(expected));
    assertThat(api.execute(id, "echo alive").expect(200).text("stdout")).isEqualTo("alive\n");
  }

  private static List<String> values(JsonNode found) {
    List<String> values = new ArrayList<>();
    if (found.isArray()) {
      found.forEach(one -> values.add(one.asText()));
    } else {
      values.add(found.asText());
    }
    return values;
  }

  private static String probes() throws IOException {
    try (InputStream script = IsolationIT.class.getResourceAsStream("probes.py")) {
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
