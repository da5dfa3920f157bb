package io.sandglass.executor.runtime;

import java.nio.file.Path;

final class FakeRuntimeTest extends ContainerRuntimeContract {
  private final FakeRuntime runtime = new FakeRuntime("image");

  @Override
  protected ContainerRuntime runtime() {
    return runtime;
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
