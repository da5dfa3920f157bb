package io.sandglass.executor.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.DiskUse;
import io.sandglass.executor.runtime.FakeRuntime;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.runtime.RuntimeRefusedException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DiskWatchTest {
  private static final Duration EVERY = Duration.ofSeconds(5);
  private static final Limits LIMITS = new Limits(1000, 256L << 20);
  private static final Life ONE = new Life("sbx_one", 1);
  private static final Life OTHER = new Life("sbx_other", 1);

  @TempDir Path data;

  private final FakeRuntime runtime = new FakeRuntime("image:1");
  private final Residents residents = new Residents();
  private final List<String> asked = new ArrayList<>();
  private Instant now = Instant.EPOCH;
  private LifeDirectories directories;
  private DiskWatch watch;

  @BeforeEach
  void begin() throws Exception {
    directories = new LifeDirectories(data);
    watch =
        new DiskWatch(runtime, directories, residents, new DiskUse(1000, 100), EVERY, () -> now);
    for (Life life : List.of(ONE, OTHER)) {
      directories.prepare(life, "org_1");
      runtime.create(
          new ContainerSpec(life, "org_1", "image:1", LIMITS, "10.208.0.2", data, "token"));
      runtime.start(life);
      residents.put(new Resident(life, "org_1", LIMITS, Resident.Phase.RUNNING));
    }
    round(); // from then on it is known how much there is
    round();
    runtime.beforeEach(asked::add);
  }

  private void round() {
    asked.clear();
    now = now.plus(EVERY);
    watch.look(new Preemption());
  }

  private void rounds(int number) {
    for (int i = 0; i < number; i++) {
      round();
    }
  }

  private void assertEnded(Life life, String why) {
    assertThat(runtime.isRunning(life)).isFalse();
    assertThat(directories.ending(life)).contains("its processes were ended for " + why);
  }

  @Test
  void nobodyIsLookedAtWhileNobodyCanBeOver() {
    runtime.write(ONE, new DiskUse(900, 90));
    round();
    assertThat(asked).containsExactly("storage");
  }

  @Test
  void bytesAndFilesAreLimited() {
    runtime.write(ONE, new DiskUse(1001, 1));
    round();
    assertEnded(ONE, "writing 1001 bytes to disk, more than its 1000");

    runtime.write(OTHER, new DiskUse(1, 101));
    round();
    assertEnded(OTHER, "making 101 files, more than its 100");
  }

  /** Not before together they could have been too much for one. */
  @Test
  void whatAllHaveWrittenCountsForEachUntilItIsLookedAt() {
    runtime.write(ONE, new DiskUse(600, 0));
    round();
    assertThat(asked).containsExactly("storage");
    runtime.write(OTHER, new DiskUse(600, 0));
    round();
    assertThat(asked).containsExactly("storage", "disk", "disk");
    round();
    assertThat(asked).containsExactly("storage");
    runtime.write(OTHER, new DiskUse(1001, 0));
    round();
    assertThat(runtime.isRunning(ONE)).isTrue();
    assertEnded(OTHER, "writing 1001 bytes to disk, more than its 1000");
  }

  @Test
  void whatOthersDeleteHidesNobodyForLong() {
    runtime.write(ONE, new DiskUse(900, 0));
    rounds(12); // both are looked at
    runtime.write(ONE, DiskUse.NOTHING);
    runtime.write(OTHER, new DiskUse(900, 0));
    round();
    runtime.write(OTHER, new DiskUse(1800, 0));
    round();
    assertThat(runtime.isRunning(OTHER)).isTrue();
    rounds(12);
    assertEnded(OTHER, "writing 1800 bytes to disk, more than its 1000");
    assertThat(runtime.isRunning(ONE)).isTrue();
  }

  @Test
  void whoKeepsItsFilesFromBeingCountedIsEndedAfterAWhile() {
    runtime.write(ONE, new DiskUse(1001, 0));
    runtime.beforeEach(
        operation -> {
          if (operation.equals("disk")) {
            throw new RuntimeRefusedException("they are moved", null);
          }
        });
    rounds(11);
    assertThat(runtime.isRunning(ONE)).isTrue();
    round();
    assertEnded(ONE, "keeping its files from being counted");
  }
}
