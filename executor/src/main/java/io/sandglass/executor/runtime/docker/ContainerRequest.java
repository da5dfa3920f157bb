package io.sandglass.executor.runtime.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.LogConfig;
import com.github.dockerjava.api.model.RestartPolicy;
import com.github.dockerjava.api.model.Ulimit;
import com.github.dockerjava.api.model.Volume;
import io.sandglass.executor.runtime.ContainerSpec;
import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.Life;
import java.util.List;
import java.util.Optional;

/** A sandbox's container as Docker is asked for it: its limits and what it must not do. */
final class ContainerRequest {
  private static final long CPU_PERIOD_MICROS = 100_000;

  /** What apt, su and pip need; NET_ADMIN and NET_RAW would break the walls between sandboxes. */
  private static final Capability[] KEPT = {
    Capability.CHOWN,
    Capability.DAC_OVERRIDE,
    Capability.FOWNER,
    Capability.FSETID,
    Capability.SETUID,
    Capability.SETGID,
    Capability.KILL
  };

  private final DockerClient docker;
  private final DockerSettings settings;
  private final NetworkHolders holders;

  ContainerRequest(DockerClient docker, DockerSettings settings, NetworkHolders holders) {
    this.docker = docker;
    this.settings = settings;
    this.holders = holders;
  }

  /** Returns the new container's id. */
  String create(ContainerSpec spec) {
    return docker
        .createContainerCmd(spec.image())
        .withName(spec.life().containerName())
        .withLabels(Labels.of(spec, settings.nodeId()))
        .withEntrypoint("/.sandglass/guest")
        .withCmd(List.of())
        .withEnv("SANDGLASS_TOKEN=" + spec.token())
        .withHostConfig(hostConfig(spec))
        .exec()
        .getId();
  }

  /** Gives a container that is there other limits. */
  void resize(Life life, Limits limits) {
    docker
        .updateContainerCmd(life.containerName())
        .withCpuPeriod(CPU_PERIOD_MICROS)
        .withCpuQuota(quota(limits))
        .withMemory(limits.memoryBytes())
        .withMemorySwap(limits.memoryBytes())
        .exec();
  }

  /** The limits of a container as the Engine tells them. */
  static Limits limits(HostConfig config) {
    long quota = Optional.ofNullable(config.getCpuQuota()).orElse(0L);
    return new Limits(
        Math.toIntExact(quota * 1000 / CPU_PERIOD_MICROS),
        Optional.ofNullable(config.getMemory()).orElse(0L));
  }

  private static long quota(Limits limits) {
    return limits.cpuMillis() * CPU_PERIOD_MICROS / 1000;
  }

  private HostConfig hostConfig(ContainerSpec spec) {
    return walls(settings, spec.limits())
        .withBinds(
            new Bind(spec.guestDirectory().toString(), new Volume("/.sandglass"), AccessMode.ro))
        // Its host name, its /etc/hosts and its resolvers come from there, too.
        .withNetworkMode(holders.mode(spec.address()));
  }

  /** Limits, and what code of strangers must not do. The network is left to the caller. */
  static HostConfig walls(DockerSettings settings, Limits limits) {
    HostConfig config =
        HostConfig.newHostConfig()
            // A quota, not NanoCpus: Docker refuses to change the latter into the former later.
            .withCpuPeriod(CPU_PERIOD_MICROS)
            .withCpuQuota(quota(limits))
            .withMemory(limits.memoryBytes())
            .withMemorySwap(limits.memoryBytes())
            .withPidsLimit(settings.pidsLimit())
            .withUlimits(
                List.of(
                    new Ulimit("nofile", settings.maxOpenFiles(), settings.maxOpenFiles()),
                    new Ulimit("core", 0L, 0L)))
            .withCapDrop(Capability.ALL)
            .withCapAdd(KEPT)
            .withSecurityOpts(
                List.of("no-new-privileges", "seccomp=" + settings.walls().seccompProfile()))
            .withIpcMode("private")
            .withCgroupnsMode("private")
            .withPrivileged(false)
            .withLogConfig(new LogConfig(LogConfig.LoggingType.NONE))
            .withRestartPolicy(RestartPolicy.noRestart())
            .withInit(false);
    if (!settings.walls().runtime().isEmpty()) {
      config.withRuntime(settings.walls().runtime());
    }
    return config;
  }
}
