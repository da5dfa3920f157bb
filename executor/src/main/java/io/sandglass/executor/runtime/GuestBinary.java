package io.sandglass.executor.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** The guest's executable, which lies on the class path. */
public final class GuestBinary {

  private static final String RESOURCE = "/io/sandglass/guest/sandglass-guest";

  private final Path file;

  private GuestBinary(Path file) {
    this.file = file;
  }

  /** Puts the executable into {@code directory}, over what an earlier version has left there. */
  public static GuestBinary extract(Path directory) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve("sandglass-guest");
    Path fresh = Files.createTempFile(directory, "sandglass-guest", ".new");
    try (InputStream in = open()) {
      Files.copy(in, fresh, StandardCopyOption.REPLACE_EXISTING);
      Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("r-xr-xr-x"));
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
    return new GuestBinary(file);
  }

  /** The executable's bytes. */
  public static InputStream open() throws IOException {
    InputStream in = GuestBinary.class.getResourceAsStream(RESOURCE);
    if (in == null) {
      throw new IOException(
          "Expected the guest's executable on the class path, but " + RESOURCE + " is not there");
    }
    return in;
  }

  /**
   * Makes the executable appear as {@code guest} in a sandbox's directory. All sandboxes share one
   * file, and so its pages in memory, where the file system can link. One that is there stays: it
   * may be running.
   */
  public void linkInto(Path sandboxDirectory) throws IOException {
    Path link = sandboxDirectory.resolve("guest");
    try {
      Files.createLink(link, file);
    } catch (FileAlreadyExistsException e) {
      return;
    } catch (IOException | UnsupportedOperationException e) {
      Files.copy(file, link, StandardCopyOption.COPY_ATTRIBUTES);
    }
  }
}
