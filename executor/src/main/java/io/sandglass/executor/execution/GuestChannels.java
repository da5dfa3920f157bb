package io.sandglass.executor.execution;

import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.nio.file.Path;

/** Opens channels to guests. */
public interface GuestChannels {

  /** Puts the guest's executable where the sandbox will find it. */
  void install(Path directory) throws IOException;

  /** What the guest of this life has to show; the same after every restart. */
  String token(Life life);

  /**
   * Begins to listen where the guest will call, or calls again.
   *
   * @param directory the directory of the host that the sandbox sees
   */
  GuestChannel open(Path directory, Life life) throws IOException;
}
