package io.sandglass.engine.lifecycle;

import java.util.Optional;

/** The state of a sandbox: the fold of its events. */
public sealed interface Sandbox {

  /** How many events it has had. */
  long version();

  /**
   * Nobody ever asked for it.
   *
   * @param version more than 0 under an organization's own id: what concerns no sandbox of it
   */
  record Absent(long version) implements Sandbox {
    public Absent() {
      this(0);
    }
  }

  record Live(Tenure tenure, Stage stage, long version) implements Sandbox {}

  /** Over for good; what is kept answers late commands and reports. */
  record Ended(
      String org,
      String node,
      int incarnation,
      EndReason reason,
      Optional<String> fingerprint,
      long version)
      implements Sandbox {}
}
