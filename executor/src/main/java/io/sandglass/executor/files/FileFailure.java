package io.sandglass.executor.files;

import java.util.Locale;
import java.util.Optional;

/** Why a file could not be had, written or listed. */
public enum FileFailure {
  NOT_FOUND,
  /** Something on the way is no directory, links go round in circles, or a name is too long. */
  INVALID_PATH,
  IS_DIRECTORY,
  /** A FIFO, a socket or a device. */
  NOT_A_FILE,
  NOT_A_DIRECTORY,
  NOT_PERMITTED,
  TOO_LARGE,
  NO_SPACE,
  /** The sandbox's file system said no. */
  IO_ERROR,
  /** No process, memory or descriptor left in the sandbox. */
  NO_RESOURCES,
  /** The guest offered no connection in time. */
  GUEST_UNREACHABLE,
  /** The guest was lost, took too long or talked nonsense: how far it came is not known. */
  BROKEN;

  /** As in the guest's ERROR frame and in problems. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<FileFailure> ofCode(String code) {
    for (FileFailure failure : values()) {
      if (failure.code().equals(code)) {
        return Optional.of(failure);
      }
    }
    return Optional.empty();
  }
}
