package io.sandglass.executor.runtime.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On files that stand for control groups; {@link DockerRuntimeIT} has those of this machine. */
class FreezerTest {
  private static final String ID = "0123456789abcdef".repeat(4);

  @TempDir Path cgroups;
  private Freezer freezer;

  @BeforeEach
  void make() {
    freezer = Freezer.at(cgroups, Duration.ofMinutes(1));
  }

  private Path file(String name, String content) throws IOException {
    Path file = cgroups.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, content);
  }

  @Test
  void versionOne() throws IOException {
    Path state = file("freezer/docker/" + ID + "/freezer.state", "THAWED");
    assertThat(freezer.isFrozen(ID)).contains(false);

    assertThat(freezer.freeze(ID)).isTrue();
    assertThat(state).hasContent("FROZEN");
    assertThat(freezer.isFrozen(ID)).contains(true);

    assertThat(freezer.thaw(ID)).isTrue();
    assertThat(state).hasContent("THAWED");
    assertThat(freezer.isFrozen(ID)).contains(false);
  }

  @Test
  void ofTheSystemdDriver() throws IOException {
    Path state = file("freezer/system.slice/docker-" + ID + ".scope/freezer.state", "THAWED");

    assertThat(freezer.freeze(ID)).isTrue();

    assertThat(state).hasContent("FROZEN");
  }

  @Test
  void versionTwoIsFrozenWhenTheKernelSaysSo() throws Exception {
    Path freeze = file("docker/" + ID + "/cgroup.freeze", "0");
    Path events = file("docker/" + ID + "/cgroup.events", "populated 1\nfrozen 0\n");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> asked = threads.submit(() -> freezer.freeze(ID));
      Awaitility.await().until(() -> Files.readString(freeze).equals("1"));
      assertThat(asked.isDone()).isFalse();

      Files.writeString(events, "populated 1\nfrozen 1\n");

      assertThat(asked.get(1, TimeUnit.MINUTES)).isTrue();
    }
    assertThat(freezer.isFrozen(ID)).contains(true);
    assertThat(freezer.thaw(ID)).isTrue();
    assertThat(freeze).hasContent("0");
  }

  @Test
  void whatDoesNotStandStillIsLetGo() throws IOException {
    Path freeze = file("docker/" + ID + "/cgroup.freeze", "0");
    file("docker/" + ID + "/cgroup.events", "populated 1\nfrozen 0\n");
    Freezer hasty = Freezer.at(cgroups, Duration.ofMillis(20));

    assertThatThrownBy(() -> hasty.freeze(ID))
        .isInstanceOf(RuntimeUnavailableException.class)
        .hasMessageContaining(ID);

    assertThat(freeze).hasContent("0");
  }

  @Test
  void withoutAGroupNothingIsDone() throws IOException {
    assertThat(freezer.freeze(ID)).isFalse();
    assertThat(freezer.thaw(ID)).isFalse();
    assertThat(freezer.isFrozen(ID)).isEmpty();
    file("freezer/docker/" + ID + "/freezer.state", "THAWED");
    assertThat(Freezer.none().freeze(ID)).isFalse();

    try (Stream<Path> files = Files.walk(cgroups)) {
      assertThat(files.filter(Files::isRegularFile)).hasSize(1);
    }
  }

  @Test
  void neverTheGroupOfAllContainers() throws IOException {
    Path state = file("freezer/docker/freezer.state", "THAWED");

    for (String id : new String[] {"", ".", "..", ID + "/..", ID.substring(1)}) {
      assertThatThrownBy(() -> freezer.freeze(id)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(state).hasContent("THAWED");
  }
}
