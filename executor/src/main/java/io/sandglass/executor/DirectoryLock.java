package io.sandglass.executor;

import io.dropwizard.lifecycle.Managed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a data directory to one process. Two on the same would each take the containers for their
 * own: the runtime lets both of them rename one spare. The kernel lets go with the process, however
 * that ends.
 */
final class DirectoryLock implements Managed {
  private static final String FILE = "lock";

  private final FileChannel channel;

  private DirectoryLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the directory, which is made unless it is there.
   *
   * @throws IOException when another process has it, with what to do about it
   */
  static DirectoryLock take(Path directory) throws IOException {
    Path file = Files.createDirectories(directory.toAbsolutePath()).resolve(FILE);
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean taken = false;
    try {
      if (channel.tryLock() == null) {
        throw new IOException(
            "Another executor (process "
                + Files.readString(file).strip()
                + ") works in the data directory "
                + file.getParent()
                + ". Stop it, or give this one a directory and a node id of its own.");
      }
      taken = true;
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
      return new DirectoryLock(channel);
    } finally {
      if (!taken) {
        channel.close();
      }
    }
  }

  @Override
  public void stop() throws IOException {
    channel.close();
  }
}
