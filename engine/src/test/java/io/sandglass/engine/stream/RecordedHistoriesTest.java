package io.sandglass.engine.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.engine.lifecycle.Deadline;
import io.sandglass.engine.lifecycle.Evolution;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.wire.EventReader;
import io.sandglass.engine.wire.EventReader.Reading;
import io.sandglass.engine.wire.EventWriter;
import io.sandglass.engine.wire.Kept;
import io.sandglass.engine.wire.StateCodec;
import io.sandglass.schemas.ChainHash;
import io.sandglass.schemas.ChangeEgress;
import io.sandglass.schemas.Egress;
import io.sandglass.schemas.ReportExecutionFinished;
import io.sandglass.schemas.ReportResumed;
import io.sandglass.schemas.ReportSuspended;
import io.sandglass.schemas.SandboxEnded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Whatever a release wrote folds for ever to what it folded to then. {@code histories/<version>}
 * holds lives as that release's engine wrote them: {@code <life>.events}, a line an event, its key,
 * chain hash and value; {@code <life>.txt}, what each led to, in words that don't change; {@code
 * <life>.state}, what its store held at the end.
 *
 * <p>{@code -Dsandglass.histories.record=<version>} records a release's, once: what is there is
 * never written again.
 */
class RecordedHistoriesTest {
  private static final Path ROOT = Path.of("../histories");
  private static final String SUMS = "SHA256SUMS";
  private static final String ID = "sbx_00000000000000000000000001";

  /** Typical lives, and those in which something goes wrong. */
  private static Map<String, Scenario> lives() {
    Map<String, Scenario> lives = new LinkedHashMap<>();
    lives.put(
        "expired",
        Scenario.scenario()
            .running(ID)
            .send(Orders.execute(ID, "exe_1"))
            .report(
                ID,
                (meta, origin) ->
                    new ReportExecutionFinished(
                        meta, origin, "exe_1", 0, false, false, 12L, 0L, 0L, 345L, null))
            .keepAlive(ID, ofMinutes(7))
            .advance(ofMinutes(7))
            .gone(ID));
    lives.put(
        "slept",
        Scenario.scenario()
            .send(Orders.createPersistent(ID))
            .started(ID)
            .advance(Orders.IDLE_TIMEOUT)
            .report(ID, (meta, origin) -> new ReportSuspended(meta, origin, "frozen"))
            .send(Orders.wake(ID))
            .report(ID, ReportResumed::new)
            .send(Orders.suspend(ID))
            .report(ID, (meta, origin) -> new ReportSuspended(meta, origin, "frozen"))
            .advance(Rig.PATIENCE.freezeFor())
            .report(ID, (meta, origin) -> new ReportSuspended(meta, origin, "stopped")));
    lives.put(
        "moved-and-lost",
        Scenario.scenario()
            .node("n2")
            .create(ID)
            .refused(ID)
            .started(ID)
            .silence("n1")
            .silence("n2")
            .advance(ofSeconds(20)));
    lives.put(
        "never-started",
        Scenario.scenario().create(ID).advance(ofSeconds(60)).advance(ofSeconds(31)).gone(ID));
    lives.put(
        "shut-off",
        Scenario.scenario()
            .running(ID)
            .send(
                Orders.Command.of(
                    ID,
                    meta ->
                        new ChangeEgress(
                            meta,
                            new Egress(
                                "deny_all", List.of("203.0.113.128/25"), List.of(), List.of(443)))))
            .send(Orders.execute(ID, "exe_1")));
    return lives;
  }

  @Test
  @EnabledIfSystemProperty(named = "sandglass.histories.record", matches = ".+")
  void record() throws Exception {
    Path release = ROOT.resolve(System.getProperty("sandglass.histories.record"));
    Files.createDirectory(release);
    for (var life : lives().entrySet()) {
      try (Scenario s = life.getValue()) {
        List<String> lines = new ArrayList<>();
        for (Rig.Sent event : s.events(ID)) {
          lines.add(
              "%s %s %s"
                  .formatted(
                      event.key(),
                      event.chain().orElseThrow(),
                      Base64.getEncoder().encodeToString(event.value().get())));
        }
        Files.write(release.resolve(life.getKey() + ".events"), lines);
        Files.write(release.resolve(life.getKey() + ".txt"), fold(lines).told());
        byte[] state = StateCodec.encode(s.rig().sandboxes().get(ID));
        Files.writeString(
            release.resolve(life.getKey() + ".state"),
            Base64.getEncoder().encodeToString(state) + "\n");
      }
    }
    StringBuilder sums = new StringBuilder();
    sums(release).forEach((file, sum) -> sums.append(sum).append("  ").append(file).append('\n'));
    Files.writeString(release.resolve(SUMS), sums);
  }

  @Test
  void everyReleaseFoldsToWhatItDidThen() throws Exception {
    List<Path> histories =
        list(ROOT, 2).filter(file -> file.toString().endsWith(".events")).toList();
    assertThat(histories).hasSizeGreaterThanOrEqualTo(5);
    for (Path history : histories) {
      Folded folded = fold(Files.readAllLines(history));
      assertThat(folded.told())
          .as("%s", history)
          .isEqualTo(Files.readAllLines(sibling(history, ".txt")));
      byte[] stored =
          Base64.getDecoder().decode(Files.readString(sibling(history, ".state")).strip());
      assertThat(StateCodec.decodeKept(stored)).as("%s", history).isEqualTo(folded.kept());
    }
  }

  @Test
  void whatWasRecordedStaysAsItIs() throws Exception {
    List<Path> releases = list(ROOT, 1).filter(Files::isDirectory).toList();
    assertThat(releases).isNotEmpty();
    for (Path release : releases) {
      Map<String, String> expected = new TreeMap<>();
      for (String line : Files.readAllLines(release.resolve(SUMS))) {
        expected.put(line.substring(66), line.substring(0, 64));
      }
      assertThat(sums(release)).as("%s", release).isEqualTo(expected);
    }
  }

  /** A life tells what it was recorded for. */
  @Test
  void aLifeOfToday() {
    for (var life : lives().entrySet()) {
      try (Scenario s = life.getValue()) {
        assertThat(s.events(ID)).as(life.getKey()).hasSizeGreaterThan(2);
        assertThat(s.events(ID).getLast().body() instanceof SandboxEnded)
            .as(life.getKey())
            .isEqualTo(!List.of("slept", "shut-off").contains(life.getKey()));
      }
    }
  }

  private record Folded(List<String> told, Kept kept) {}

  private static Folded fold(List<String> lines) {
    List<String> told = new ArrayList<>();
    Kept kept = Kept.NOTHING;
    for (String line : lines) {
      String[] parts = line.split(" ", 3);
      byte[] value = Base64.getDecoder().decode(parts[2]);
      ChainHash chain = kept.chain().then(parts[0].getBytes(UTF_8), value);
      assertThat(chain).as(line).hasToString(parts[1]);
      EventReader.Recorded recorded =
          switch (EventReader.read(value)) {
            case Reading.Read(EventReader.Recorded read) -> read;
            case Reading.Unreadable(String reason) ->
                throw new AssertionError(reason + ": " + line);
          };
      Sandbox after = Evolution.evolve(kept.sandbox(), recorded.event());
      assertThat(EventWriter.told(after)).as(line).isEqualTo(recorded.told());
      kept = new Kept(after, chain);
      told.add(words(recorded, after));
    }
    return new Folded(told, kept);
  }

  /** What a release did must be told in the same words by the next one: don't change them. */
  private static String words(EventReader.Recorded recorded, Sandbox after) {
    var header = recorded.event().header();
    StringBuilder words =
        new StringBuilder(
            "%d %s %s by %s because of a %s: %s on %s, life %d"
                .formatted(
                    header.version(),
                    header.at(),
                    recorded.event().fact().getClass().getSimpleName(),
                    header.actor(),
                    header.cause(),
                    recorded.told().status(),
                    recorded.told().node(),
                    recorded.told().incarnation()));
    if (after instanceof Sandbox.Live live) {
      words.append(", ").append(live.stage().getClass().getSimpleName());
      words.append(", active ").append(live.tenure().lastActivityAt());
      words.append(", in flight ").append(live.tenure().inFlight().keySet());
      words.append(", egress ").append(live.tenure().egress().mode());
    }
    Deadline.of(after).stream()
        .sorted(Comparator.comparing(Deadline::kind))
        .forEach(due -> words.append(", ").append(due.kind()).append(" due ").append(due.due()));
    return words.toString();
  }

  private static Path sibling(Path history, String ending) {
    return history.resolveSibling(history.getFileName().toString().replace(".events", ending));
  }

  private static Map<String, String> sums(Path release) throws Exception {
    Map<String, String> sums = new TreeMap<>();
    for (Path file : list(release, 1).filter(Files::isRegularFile).toList()) {
      String name = file.getFileName().toString();
      if (!name.equals(SUMS)) {
        byte[] sum = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        sums.put(name, HexFormat.of().formatHex(sum));
      }
    }
    return sums;
  }

  private static Stream<Path> list(Path directory, int depth) throws IOException {
    try (Stream<Path> files = Files.walk(directory, depth)) {
      return files.filter(file -> !file.equals(directory)).sorted().toList().stream();
    }
  }
}
