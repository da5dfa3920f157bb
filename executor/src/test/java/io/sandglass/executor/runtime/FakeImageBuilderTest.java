package io.sandglass.executor.runtime;

import java.time.Duration;

final class FakeImageBuilderTest extends ImageBuilderContract {
  private final FakeImageBuilder builder = new FakeImageBuilder(Duration.ofMinutes(1), "base:1");

  @Override
  protected ImageBuilder builder() {
    return builder;
  }

  @Override
  protected ImageBuilder builder(Duration timeout) {
    return new FakeImageBuilder(timeout, base());
  }

  @Override
  protected String base() {
    return "base:1";
  }

  @Override
  protected void use(String image, boolean now) {
    builder.use(image, now);
  }
}
