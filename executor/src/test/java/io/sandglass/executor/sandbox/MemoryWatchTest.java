package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.Life;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MemoryWatchTest {
  private static final long MIB = 1 << 20;

  private final Residents residents = new Residents();
  private final FakeReports reports = new FakeReports();

  private void hold(String id, Resident.Phase phase) {
    residents.put(new Resident(new Life(id, 1), "org_1", new Limits(1000, 256 * MIB), phase));
  }

  private List<String> askedBack(long missing) {
    new MemoryWatch(residents, () -> missing, reports, Duration.ofHours(1), InstantSource.system())
        .look(new Preemption());
    return reports.all().stream().map(report -> report.subject().life().sandboxId()).toList();
  }

  @Test
  void thoseThatSleepLongestGiveTheirMemoryBackUntilItIsEnough() {
    hold("sbx_awake", Resident.Phase.RUNNING);
    hold("sbx_first", Resident.Phase.FROZEN);
    hold("sbx_second", Resident.Phase.FROZEN);
    hold("sbx_third", Resident.Phase.FROZEN);
    hold("sbx_stopped", Resident.Phase.STOPPED);
    // As it has woken and fallen asleep again, it is the last.
    residents.get("sbx_first").orElseThrow().enter(Resident.Phase.FROZEN);

    assertThat(askedBack(300 * MIB)).containsExactly("sbx_second", "sbx_third");
    assertThat(reports.all())
        .extracting(Report::content)
        .hasOnlyElementsOfType(Report.MemoryWanted.class);
  }

  @Test
  void nobodyIsAskedWhileThereIsEnough() {
    hold("sbx_first", Resident.Phase.FROZEN);
    assertThat(askedBack(0)).isEmpty();
  }
}
