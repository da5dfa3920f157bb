package io.sandglass.executor.guest;

import java.util.Locale;
import java.util.Optional;

/** Why a command was not run. */
public enum GuestFailure {
  /** The guest offered no connection in time: it is starting, overwhelmed or dead. */
  GUEST_UNREACHABLE,
  /** Command and environment together exceed what one request can carry (256 KiB). */
  REQUEST_TOO_LARGE,
  WORKDIR_UNAVAILABLE,
  CANNOT_EXEC,
  /** No process, memory or descriptor left in the sandbox. */
  NO_RESOURCES,
  BAD_REQUEST,
  UNKNOWN_REQUEST,
  /** The guest keeps no detached execution of this id, or no longer. */
  UNKNOWN_EXECUTION;

  /** As in the guest's ERROR frame. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<GuestFailure> ofCode(String code) {
    for (GuestFailure failure : values()) {
      if (failure.code().equals(code)) {
        return Optional.of(failure);
      }
    }
    return Optional.empty();
  }
}
