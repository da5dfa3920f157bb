package io.sandglass.executor.sandbox;

import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a node keeps on disk of each life of a sandbox:
 *
 * <pre>
 * s/sbx-(sandbox)-(incarnation)/
 *   m/guest, m/host.sock   what the sandbox sees, read-only, as /.sandglass; of a container that
 *                          was made as a spare it stays in s/pool-(spare)/
 *   org                    whose it is
 *   made                   there has been a container
 *   egress                 what it may reach, and since which order
 *   stopped                the log knows that its processes have ended
 *   why                    why this node ended its processes unasked
 *   x/(execution id)       an execution whose end the log does not know yet; of a
 *                          detached one it says when it must have ended
 *   k/(execution id)       a detached execution that has ended, and whose output the guest keeps
 * </pre>
 *
 * <p>It is written before the thing it stands for happens, so what a killed process leaves is at
 * most a directory without its container. Only the executor writes here; the sandbox sees {@code m}
 * and can't write it.
 */
public final class LifeDirectories {
  private static final int MAX_SOCKET_PATH = 107;
  private static final String SAMPLE = "/sbx-sbx_00000000000000000000000000-100/m/host.sock";

  private final Path root;

  public LifeDirectories(Path data) throws IOException {
    this.root = data.toAbsolutePath().resolve("s");
    if ((root + SAMPLE).getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH) {
      throw new IOException(
          "The data directory "
              + data.toAbsolutePath()
              + " has too long a path: the sockets in it would exceed "
              + MAX_SOCKET_PATH
              + " characters");
    }
    Files.createDirectories(root);
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
  }

  /** What a container sees that was made as this life's, whoever has it now. */
  Path mount(Life origin) {
    return of(origin).resolve("m");
  }

  private Path of(Life life) {
    return root.resolve(life.containerName());
  }

  /** Makes it unless it is there. */
  void prepare(Life life, String orgId) {
    try {
      Files.createDirectories(of(life).resolve("x"));
      Files.writeString(of(life).resolve("org"), orgId);
    } catch (IOException e) {
      throw new UncheckedIOException("The directory of " + life + " can't be made", e);
    }
  }

  /** Makes what a container sees that is made as this life's, unless it is there. */
  Path prepareMount(Life origin) {
    try {
      return Files.createDirectories(mount(origin));
    } catch (IOException e) {
      throw new UncheckedIOException("The directory of " + origin + " can't be made", e);
    }
  }

  boolean hasMount(Life origin) {
    return Files.isDirectory(mount(origin));
  }

  Optional<String> org(Life life) {
    return read(of(life).resolve("org"));
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(Files.readString(file));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The policy that was noted last; empty when there is none, or none that can be read. */
  Optional<EgressNote> egress(Life life) {
    return read(of(life).resolve("egress")).flatMap(EgressNote::read);
  }

  /** Whole or not at all. */
  void noteEgress(Life life, EgressNote note) {
    try {
      Path draft = of(life).resolve("egress.draft");
      Files.writeString(draft, note.write());
      Files.move(draft, of(life).resolve("egress"), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("The policy of " + life + " can't be noted", e);
    }
  }

  /** A fact about a life that outlives this process. */
  enum Mark {
    /** There has been a container. */
    MADE("made"),
    /** The log knows that its processes have ended: it ordered that, or was told. */
    STOPPED("stopped");

    private final String file;

    Mark(String file) {
      this.file = file;
    }
  }

  void set(Life life, Mark mark) {
    try {
      if (Files.isDirectory(of(life))) {
        Files.write(of(life).resolve(mark.file), new byte[0]);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void unset(Life life, Mark mark) {
    remove(of(life).resolve(mark.file));
  }

  /** Notes why this node is about to end its processes unasked. */
  void noteEnding(Life life, String why) {
    try {
      if (Files.isDirectory(of(life))) {
        Files.writeString(of(life).resolve("why"), why);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Why this node ended its processes unasked; empty when it did not. */
  Optional<String> ending(Life life) {
    return read(of(life).resolve("why"));
  }

  /** The log knows it. */
  void forgetEnding(Life life) {
    remove(of(life).resolve("why"));
  }

  boolean has(Life life, Mark mark) {
    return Files.exists(of(life).resolve(mark.file));
  }

  /**
   * Notes when a detached execution must have ended, until {@link #executionTold}: it goes on
   * without this process.
   */
  void executionDetached(Life life, String executionId, Instant until) throws IOException {
    Files.writeString(of(life).resolve("x").resolve(executionId), until.toString());
  }

  /** When it must have ended; empty when it has ended with the process that ran it. */
  Optional<Instant> detachedUntil(Life life, String executionId) {
    return read(of(life).resolve("x").resolve(executionId))
        .filter(text -> !text.isEmpty())
        .map(Instant::parse);
  }

  /** Notes that an execution begins, until {@link #executionTold}. */
  void executionBegins(Life life, String executionId) throws IOException {
    Files.write(of(life).resolve("x").resolve(executionId), new byte[0]);
  }

  /** The log knows how it ended. */
  void executionTold(Life life, String executionId) {
    remove(of(life).resolve("x").resolve(executionId));
  }

  /** The executions whose end the log does not know. */
  List<String> untoldExecutions(Life life) {
    return names(of(life).resolve("x"));
  }

  /** The guest keeps the output of one that has ended, until {@link #executionForgotten}. */
  void executionKept(Life life, String executionId) {
    try {
      if (Files.isDirectory(of(life))) {
        Files.createDirectories(of(life).resolve("k"));
        Files.write(of(life).resolve("k").resolve(executionId), new byte[0]);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Those that are kept, the one that ended last at the end. */
  List<String> keptExecutions(Life life) {
    Path kept = of(life).resolve("k");
    return names(kept).stream()
        .sorted(Comparator.comparing(name -> modified(kept.resolve(name))))
        .toList();
  }

  private static FileTime modified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (NoSuchFileException e) {
      return FileTime.fromMillis(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void executionForgotten(Life life, String executionId) {
    remove(of(life).resolve("k").resolve(executionId));
  }

  /** All lives of sandboxes that there is something of. */
  List<Life> lives() {
    return all().filter(life -> !life.isSpare()).toList();
  }

  /** All lives of one sandbox that there is something of. */
  List<Life> lives(String sandboxId) {
    return lives().stream().filter(life -> life.sandboxId().equals(sandboxId)).toList();
  }

  /** All spares that there is something of, those that have become a sandbox's included. */
  List<Life> spares() {
    return all().filter(Life::isSpare).toList();
  }

  private Stream<Life> all() {
    return names(root).stream().flatMap(name -> Life.named(name).stream());
  }

  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> names(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes it with all that is in it; when it is not there, nothing happens. */
  void delete(Life life) {
    try {
      Files.walkFileTree(of(life), new Deletion());
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException e) {
      throw new UncheckedIOException("The directory of " + life + " can't be deleted", e);
    }
  }

  private static final class Deletion extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      if (e instanceof NoSuchFileException) {
        return FileVisitResult.CONTINUE;
      }
      throw e;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
      try {
        Files.deleteIfExists(directory);
      } catch (DirectoryNotEmptyException late) {
        // An execution that began meanwhile has left its note.
        Files.walkFileTree(directory, new Deletion());
      }
      return FileVisitResult.CONTINUE;
    }
  }
}
