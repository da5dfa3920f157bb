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
import java.util.List;

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

  ContainerRequest(DockerClient docker, DockerSettings settings) {
    this.docker = docker;
    this.settings = settings;
  }

  /** Returns the new container's id. */
  String create(ContainerSpec spec) {
    return docker
        .createContainerCmd(spec.image())
        .withName(spec.life().containerName())
        .withHostName("sandbox")
        .withLabels(Labels.of(spec, settings.nodeId()))
        .withEntrypoint("/.sandglass/guest")
        .withCmd(List.of())
        .withEnv("SANDGLASS_TOKEN=" + spec.token())
        .withHostConfig(hostConfig(spec))
        .exec()
        .getId();
  }

  private HostConfig hostConfig(ContainerSpec spec) {
    long memory = spec.limits().memoryBytes();
    HostConfig config =
        HostConfig.newHostConfig()
            // A quota, not NanoCpus: Docker refuses to change the latter into the former later.
            .withCpuPeriod(CPU_PERIOD_MICROS)
            .withCpuQuota(spec.limits().cpuMillis() * CPU_PERIOD_MICROS / 1000)
            .withMemory(memory)
            .withMemorySwap(memory)
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
            .withInit(false)
            .withBinds(
                new Bind(
                    spec.guestDirectory().toString(), new Volume("/.sandglass"), AccessMode.ro));
    if (!settings.walls().runtime().isEmpty()) {
      config.withRuntime(settings.walls().runtime());
    }
    return switch (spec.network()) {
      case NONE -> config.withNetworkMode("none");
      case BRIDGE -> config.withNetworkMode(settings.bridge()).withDns(settings.dns());
    };
  }
}
