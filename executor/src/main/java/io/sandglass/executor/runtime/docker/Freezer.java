package io.sandglass.executor.runtime.docker;

import io.sandglass.executor.runtime.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes all processes of a container stand still, and lets them go on, by the container's control
 * group. The Engine's pause comes to the same by way of three programs, and takes some 20 ms.
 *
 * <p>The groups are those that the Engine makes by default, in either version (Linux, {@code
 * cgroup-v1/freezer-subsystem.rst} and {@code cgroup-v2.rst}). Where there is none, or it can't be
 * written, as in a container without the host's {@code /sys/fs/cgroup}, nothing is done.
 */
final class Freezer {
  private static final Logger LOG = LoggerFactory.getLogger(Freezer.class);
  private static final Duration POLL = Duration.ofMillis(1);

  /** Anything shorter would name the group of all containers. */
  private static final Pattern CONTAINER_ID = Pattern.compile("[0-9a-f]{64}");

  /** Of a version: what is written where, and how a group tells that all in it stand still. */
  private record Control(
      Path root, String file, String hold, String letGo, String tells, String held) {

    static Control one(Path cgroups) {
      return new Control(
          cgroups.resolve("freezer"),
          "freezer.state",
          "FROZEN",
          "THAWED",
          "freezer.state",
          "FROZEN");
    }

    static Control two(Path cgroups) {
      return new Control(cgroups, "cgroup.freeze", "1", "0", "cgroup.events", "frozen 1");
    }
  }

  private final List<Control> controls;
  private final Duration patience;

  private Freezer(List<Control> controls, Duration patience) {
    this.controls = controls;
    this.patience = patience;
  }

  /** Does nothing. */
  static Freezer none() {
    return new Freezer(List.of(), Duration.ZERO);
  }

  static Freezer ofHost() {
    return at(Path.of("/sys/fs/cgroup"), Duration.ofSeconds(5));
  }

  /**
   * @param cgroups where control groups are mounted
   * @param patience with processes that don't stand still, such as in the middle of a system call
   *     that can't be interrupted
   */
  static Freezer at(Path cgroups, Duration patience) {
    return new Freezer(List.of(Control.one(cgroups), Control.two(cgroups)), patience);
  }

  /**
   * Returns when all its processes stand still.
   *
   * @return false when its group isn't there to be written: nothing has been done
   * @throws RuntimeUnavailableException when they don't: they have been let go
   */
  boolean freeze(String containerId) {
    return group(containerId).filter(Group::freeze).isPresent();
  }

  /**
   * @return false when its group isn't there to be written: nothing has been done
   */
  boolean thaw(String containerId) {
    return group(containerId).filter(Group::thaw).isPresent();
  }

  /** Empty when its group isn't there. */
  Optional<Boolean> isFrozen(String containerId) {
    return group(containerId).flatMap(Group::isFrozen);
  }

  private Optional<Group> group(String containerId) {
    if (!CONTAINER_ID.matcher(containerId).matches()) {
      throw new IllegalArgumentException("'" + containerId + "' is not a container's id");
    }
    return controls.stream()
        .flatMap(
            control ->
                // Of the Engine's cgroup drivers cgroupfs and systemd.
                List.of("docker/" + containerId, "system.slice/docker-" + containerId + ".scope")
                    .stream()
                    .map(name -> new Group(control, control.root().resolve(name))))
        .filter(Group::isThere)
        .findFirst();
  }

  private final class Group {
    private final Control control;
    private final Path directory;

    Group(Control control, Path directory) {
      this.control = control;
      this.directory = directory;
    }

    boolean isThere() {
      return Files.exists(directory.resolve(control.file()));
    }

    boolean freeze() {
      long deadline = System.nanoTime() + patience.toNanos();
      while (write(control.hold())) { // again for processes that came meanwhile
        if (standsStill()) {
          return true;
        }
        if (System.nanoTime() > deadline || !pause()) {
          thaw();
          throw new RuntimeUnavailableException(
              "Processes in " + directory + " don't stand still", null);
        }
      }
      return false;
    }

    private boolean standsStill() {
      return read(control.tells())
          .filter(text -> text.lines().anyMatch(control.held()::equals))
          .isPresent();
    }

    private static boolean pause() {
      try {
        Thread.sleep(POLL);
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }

    boolean thaw() {
      return write(control.letGo());
    }

    Optional<Boolean> isFrozen() {
      return read(control.file()).map(text -> text.strip().equals(control.hold()));
    }

    private boolean write(String value) {
      try {
        Files.writeString(directory.resolve(control.file()), value, StandardOpenOption.WRITE);
        return true;
      } catch (IOException e) {
        LOG.debug("group={} can't be written: {}", directory, e.toString());
        return false;
      }
    }

    private Optional<String> read(String file) {
      try {
        return Optional.of(Files.readString(directory.resolve(file)));
      } catch (IOException e) {
        LOG.debug("group={} can't be read: {}", directory, e.toString());
        return Optional.empty();
      }
    }
  }
}
