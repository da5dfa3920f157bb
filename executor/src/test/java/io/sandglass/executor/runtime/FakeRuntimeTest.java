package io.sandglass.executor.runtime;

import io.sandglass.executor.network.Addresses;
import io.sandglass.executor.network.Range;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;

final class FakeRuntimeTest extends ContainerRuntimeContract {
  private final FakeRuntime runtime = new FakeRuntime("image");
  private final Addresses addresses =
      new Addresses(Range.network("10.208.0.0/22"), Duration.ofSeconds(30), InstantSource.system());

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
    return "image";
  }

  @Override
  protected Path guestDirectory(Life life) {
    return Path.of("/none");
  }
}
