package io.sandglass.executor.template;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * What builds have written, a file for each revision: the first MiB of it, and whatever comes last
 * of all. Can be read while it grows.
 */
public final class BuildLogs {
  private static final int MOST = 1 << 20;
  private static final String SUFFIX = ".log";

  private final Path directory;
  private final int most;
  private final Map<String, Writing> open = new ConcurrentHashMap<>();

  /**
   * @param data the node's data directory
   */
  public BuildLogs(Path data) throws IOException {
    this(data, MOST);
  }

  BuildLogs(Path data, int most) throws IOException {
    this.directory = data.toAbsolutePath().resolve("b");
    this.most = most;
    Files.createDirectories(directory);
  }

  private Path file(String revision) {
    return directory.resolve(revision + SUFFIX);
  }

  /** Begins a revision's log anew. */
  Writing begin(String revision) throws IOException {
    Writing writing = new Writing(revision);
    open.put(revision, writing);
    return writing;
  }

  /** Forgets the logs of all other revisions. */
  void keep(Set<String> revisions) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (!revisions.contains(name.substring(0, Math.max(0, name.length() - SUFFIX.length())))) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /** A log that grows. */
  final class Writing extends OutputStream {
    private final String revision;
    private final OutputStream out;
    private long length;
    private boolean ended;

    Writing(String revision) throws IOException {
      this.revision = revision;
      this.out = Files.newOutputStream(file(revision));
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int count) throws IOException {
      if (ended) {
        return;
      }
      int room = (int) Math.min(count, Math.max(0, most - length));
      if (room > 0) {
        append(bytes, offset, room);
      }
      if (room < count && length == most) {
        byte[] cut = "\n… the rest is not kept\n".getBytes(UTF_8);
        append(cut, 0, cut.length);
      }
    }

    private void append(byte[] bytes, int offset, int count) throws IOException {
      out.write(bytes, offset, count);
      length += count;
      notifyAll();
    }

    /** The last words, whatever else there was no room for. */
    synchronized void end(String words) throws IOException {
      byte[] bytes = (words + "\n").getBytes(UTF_8);
      append(bytes, 0, bytes.length);
    }

    @Override
    public void close() throws IOException {
      synchronized (this) {
        ended = true;
        notifyAll();
      }
      open.remove(revision, this);
      out.close();
    }

    /** Waits until there is more than so much; false when there never will be. */
    private synchronized boolean awaitMore(long seen) throws InterruptedException {
      while (length <= seen && !ended) {
        wait();
      }
      return length > seen;
    }
  }

  /** A log as it was when it was asked for, and as it goes on. */
  public static final class Reading {
    private final Path file;
    private final Optional<Writing> writing;

    private Reading(Path file, Optional<Writing> writing) {
      this.file = file;
      this.writing = writing;
    }

    /**
     * Copies what there is.
     *
     * @param follow until the build ends
     */
    public void copyTo(OutputStream to, boolean follow) throws IOException, InterruptedException {
      try (var from = Files.newInputStream(file, StandardOpenOption.READ)) {
        long seen = from.transferTo(to);
        to.flush();
        while (follow && writing.isPresent() && writing.get().awaitMore(seen)) {
          seen += from.transferTo(to);
          to.flush();
        }
      } catch (NoSuchFileException e) {
        return; // forgotten meanwhile
      }
    }
  }

  /** Empty when this node has built nothing of this revision. */
  public Optional<Reading> read(String revision) {
    Optional<Writing> writing = Optional.ofNullable(open.get(revision));
    Path file = file(revision);
    return Files.exists(file) ? Optional.of(new Reading(file, writing)) : Optional.empty();
  }
}
