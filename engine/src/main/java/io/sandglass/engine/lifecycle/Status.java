package io.sandglass.engine.lifecycle;

/** What the outside world calls the state of a sandbox: derived, never stored. */
public enum Status {
  ABSENT,
  CREATING,
  RUNNING,
  SUSPENDED,
  DESTROYED;

  /**
   * A decision is visible at once: a sandbox that is being stopped is destroyed, one that is being
   * suspended or is not yet back is suspended.
   */
  public static Status of(Sandbox sandbox) {
    return switch (sandbox) {
      case Sandbox.Absent _ -> ABSENT;
      case Sandbox.Ended _ -> DESTROYED;
      case Sandbox.Live live ->
          switch (live.stage()) {
            case Stage.Starting _ -> CREATING;
            case Stage.Running _ -> RUNNING;
            case Stage.Suspending _, Stage.Suspended _, Stage.Resuming _ -> SUSPENDED;
            case Stage.Stopping _ -> DESTROYED;
          };
    };
  }
}
