package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.model.Info;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Finds what on this host weakens the walls around sandboxes, and says how to mend it. Sees the
 * Engine's own description and, where the executor runs on the containers' machine, its {@code
 * /proc}.
 */
final class Doctor {
  /** Below the Engine's directory: where its overlay2 driver keeps what containers write. */
  private static final String LAYERS = "overlay2";

  private final Info info;
  private final Path root;
  private final List<Weakness> found = new ArrayList<>();

  private Doctor(Info info, Path root) {
    this.info = info;
    this.root = root;
  }

  /**
   * @param root of the host's file system
   */
  static List<Weakness> examine(Info info, String dockerHost, Walls walls, Path root) {
    Doctor doctor = new Doctor(info, root);
    doctor.examineEngine(walls);
    doctor.examineSocket(dockerHost);
    doctor.examineStorage();
    doctor.examineKernel();
    return List.copyOf(doctor.found);
  }

  private void examineEngine(Walls walls) {
    if (!hasSecurity("name=seccomp")) {
      find(
          "the Docker Engine can't filter system calls: the whole kernel is open to sandboxes",
          "use a kernel and an Engine with seccomp");
    }
    if (!hasSecurity("name=apparmor") && !hasSecurity("name=selinux")) {
      find(
          "neither AppArmor nor SELinux confines containers",
          "install AppArmor (apt-get install apparmor) and restart Docker");
    }
    if (!hasSecurity("name=userns") && !hasSecurity("name=rootless")) {
      find(
          "root in a sandbox is root's uid on the host, should it get out",
          "set \"userns-remap\": \"default\" in /etc/docker/daemon.json, before the first sandbox");
    }
    if (walls.runtime().isEmpty() || walls.runtime().equals("runc")) {
      find(
          "sandboxes share the host's kernel",
          "for code of strangers, install gVisor and set docker.runtime to runsc");
    }
    if ("1".equals(info.getCGroupVersion())) {
      find(
          "control groups are version 1, whose release agents run on the host",
          "boot with systemd.unified_cgroup_hierarchy=1; sandboxes can't write any either way");
    }
    if (!Boolean.TRUE.equals(info.getRawValues().get("LiveRestoreEnabled"))) {
      find(
          "sandboxes end with the Docker daemon",
          "set \"live-restore\": true in /etc/docker/daemon.json");
    }
    if (Boolean.FALSE.equals(info.getSwapLimit())) {
      find(
          "the kernel doesn't limit swap: a sandbox's memory limit doesn't include it",
          "boot with swapaccount=1, or turn swap off (swapoff -a)");
    }
  }

  private boolean hasSecurity(String start) {
    return Optional.ofNullable(info.getSecurityOptions()).orElse(List.of()).stream()
        .filter(Objects::nonNull)
        .anyMatch(option -> option.startsWith(start));
  }

  private void examineSocket(String dockerHost) {
    String scheme = "unix://";
    if (!dockerHost.startsWith(scheme)) {
      find(
          "the Docker Engine is reached over " + dockerHost,
          "who reaches it owns the host: use its Unix socket, or TLS with client certificates");
      return;
    }
    try {
      Path socket = root.resolve(dockerHost.substring(scheme.length() + 1));
      if (Files.getPosixFilePermissions(socket).contains(PosixFilePermission.OTHERS_WRITE)) {
        find("everybody on the host may use the Docker socket", "chmod o-rwx " + socket);
      }
    } catch (IOException e) {
      find("the Docker socket can't be examined: " + e.getMessage(), "check docker.host");
    }
  }

  private void examineStorage() {
    String directory = Objects.requireNonNullElse(info.getDockerRootDir(), "");
    if (!Files.isReadable(root.resolve(directory.replaceFirst("^/+", "")).resolve(LAYERS))) {
      find(
          "the files that sandboxes write can't be seen: their number is not limited, and their"
              + " bytes are what Docker counts",
          "mount " + directory + " read-only into the executor, at the same path");
    }
  }

  private void examineKernel() {
    read("proc/sys/kernel/core_pattern")
        .filter(pattern -> pattern.startsWith("|"))
        .ifPresent(
            pattern ->
                find(
                    "when a process of a sandbox crashes, the kernel runs "
                        + pattern.substring(1).split(" ", 2)[0]
                        + " as root on the host",
                    "sysctl -w kernel.core_pattern=core"));
    read("proc/sys/kernel/unprivileged_bpf_disabled")
        .filter("0"::equals)
        .ifPresent(
            _ ->
                find(
                    "everybody may load programs into the kernel, should the filter of system"
                        + " calls not hold",
                    "sysctl -w kernel.unprivileged_bpf_disabled=1"));
    read("proc/sys/kernel/kptr_restrict")
        .filter("0"::equals)
        .ifPresent(
            _ ->
                find(
                    "the kernel tells its addresses, which exploits need",
                    "sysctl -w kernel.kptr_restrict=1"));
  }

  private Optional<String> read(String path) {
    try {
      return Optional.of(Files.readString(root.resolve(path)).strip());
    } catch (IOException e) {
      return Optional.empty(); // this kernel doesn't have it
    }
  }

  private void find(String what, String remedy) {
    found.add(new Weakness(what, remedy));
  }
}
