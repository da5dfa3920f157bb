package io.sandglass.executor.runtime.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.executor.execution.EndpointChannels;
import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.runtime.Change;
import io.sandglass.executor.runtime.ContainerRuntime;
import io.sandglass.executor.runtime.ContainerRuntimeContract;
import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.FoundContainer.Phase;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DockerRuntimeIT extends ContainerRuntimeContract {
  private static final String NODE = "it-contract";
  private static DockerRuntime runtime;
  private static Addresses addresses;

  @TempDir Path data;

  @BeforeAll
  static void connect() {
    runtime = TestDocker.runtime(NODE);
    addresses = new Addresses(runtime.subnet(), Duration.ZERO, InstantSource.system());
  }

  @AfterAll
  static void close() throws IOException {
    runtime.close();
    TestDocker.removeNode(NODE);
  }

  @Override
  protected ContainerRuntime runtime() {
    return runtime;
  }

  @Override
  protected Addresses addresses() {
    return addresses;
  }

  @Override
  protected String image() {
    return TestDocker.IMAGE;
  }

  @Override
  protected Path guestDirectory(Life life) {
    try {
      Path directory = Files.createDirectories(data.resolve(life.containerName()));
      EndpointChannels.in(data, Duration.ofSeconds(1)).install(directory);
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void renewsTheNetworkWhereTheRuntimeMayHaveChangedIt() throws IOException {
    assertThat(renews(runtime)).isFalse();
    // Docker's own, by a name that Sandglass does not know.
    try (DockerRuntime other = TestDocker.runtimeOf("io.containerd.runc.v2", NODE)) {
      assertThat(renews(other)).isTrue();
    }
  }

  private boolean renews(DockerRuntime tested) {
    Life life = newLife();
    ContainerSpec spec = spec(life);
    tested.create(spec);
    tested.start(life);
    String before = ofHolder(spec.address(), "{{.Id}}");
    tested.stop(life, Duration.ZERO);

    assertThat(tested.start(life)).isEqualTo(Change.DONE);

    assertThat(tested.find(life).orElseThrow().phase()).isEqualTo(Phase.RUNNING);
    return !ofHolder(spec.address(), "{{.Id}}").equals(before);
  }

  @Test
  void freezesByTheControlGroupWhichDockerDoesNotHearOf() {
    Life life = running(runtime);

    assertThat(runtime.freeze(life)).isEqualTo(Change.DONE);

    assertThat(status(life)).isEqualTo("running");
    assertThat(phase(life)).isEqualTo(Phase.FROZEN);
    assertThat(runtime.list(life.sandboxId()).getFirst().phase()).isEqualTo(Phase.FROZEN);
    assertThat(runtime.thaw(life)).isEqualTo(Change.DONE);
    assertThat(phase(life)).isEqualTo(Phase.RUNNING);
  }

  @Test
  void thawsWhatItFrozeBeforeItWasStartedAgain() throws IOException {
    Life life = running(runtime);
    runtime.freeze(life);

    try (DockerRuntime next = TestDocker.runtime(NODE)) {
      assertThat(next.thaw(life)).isEqualTo(Change.DONE);
    }

    assertThat(phase(life)).isEqualTo(Phase.RUNNING);
  }

  @Test
  void dockerThawsWhatDockerHasPaused() {
    Life life = running(runtime);
    TestDocker.docker("pause", life.containerName());
    assertThat(phase(life)).isEqualTo(Phase.FROZEN);

    assertThat(runtime.thaw(life)).isEqualTo(Change.DONE);

    assertThat(status(life)).isEqualTo("running");
    assertThat(phase(life)).isEqualTo(Phase.RUNNING);
  }

  @Test
  void anotherOciRuntimeIsAskedByDocker() throws IOException {
    try (DockerRuntime other = TestDocker.runtimeOf("io.containerd.runc.v2", NODE)) {
      Life life = running(other);

      assertThat(other.freeze(life)).isEqualTo(Change.DONE);
      assertThat(status(life)).isEqualTo("paused");
      assertThat(other.find(life).orElseThrow().phase()).isEqualTo(Phase.FROZEN);
      assertThat(other.thaw(life)).isEqualTo(Change.DONE);
      assertThat(status(life)).isEqualTo("running");
    }
  }

  private static String status(Life life) {
    return TestDocker.docker("inspect", "-f", "{{.State.Status}}", life.containerName());
  }

  private static String ofHolder(String address, String format) {
    return TestDocker.docker(
        "inspect", "-f", format, "net-" + TestDocker.bridge(NODE) + "-" + address);
  }

  @Test
  void makesTheHoldersImageAgain() {
    String address = addresses.take("a").orElseThrow().toString();
    runtime.openNetwork(address);
    String image = ofHolder(address, "{{.Config.Image}}");
    runtime.closeNetwork(address);
    TestDocker.docker("rmi", "-f", image.strip());

    runtime.openNetwork(address);

    assertThat(runtime.networks()).containsEntry(address, true);
    assertThat(runtime.images()).noneMatch(tag -> tag.startsWith(NetworkHolders.REPOSITORY));
    runtime.closeNetwork(address);
    addresses.release("a");
  }
}
