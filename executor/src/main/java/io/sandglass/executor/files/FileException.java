package io.sandglass.executor.files;

import java.io.IOException;

/** The sandbox's side of a transfer failed; the caller's side fails with other exceptions. */
public final class FileException extends IOException {
  private static final long serialVersionUID = 1L;

  private final FileFailure failure;

  /**
   * @param detail printable, whoever said it
   */
  public FileException(FileFailure failure, String detail) {
    super(detail);
    this.failure = failure;
  }

  public FileFailure failure() {
    return failure;
  }
}
