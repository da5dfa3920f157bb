package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Egress;
import io.sandglass.engine.lifecycle.Mode;
import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.engine.lifecycle.Size;
import io.sandglass.engine.lifecycle.Spec;
import io.sandglass.engine.lifecycle.Template;
import io.sandglass.schemas.CreateSandbox;
import io.sandglass.schemas.SandboxRequested;
import io.sandglass.schemas.StartSpec;
import io.sandglass.schemas.TemplateRef;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;

/** What a sandbox is made from, on the wire. */
final class Specs {
  private static final String EPHEMERAL = "ephemeral";
  private static final String PERSISTENT = "persistent";

  private Specs() {}

  static Spec read(CreateSandbox create, Patience patience) {
    StartSpec start = create.getSpec();
    return new Spec(
        read(start.getTemplate()),
        mode(start.getMode(), create.getTimeoutMs(), create.getIdleTimeoutMs()),
        read(start.getSize()),
        read(start.getEgress()),
        create.getEnvNames(),
        Optional.ofNullable(create.getEnvSealed()).map(Specs::base64),
        create.getMetadata(),
        patience,
        Optional.ofNullable(create.getMeta().getFingerprint()));
  }

  static Spec read(SandboxRequested requested) {
    StartSpec start = requested.getSpec();
    return new Spec(
        read(start.getTemplate()),
        mode(start.getMode(), requested.getTimeoutMs(), requested.getIdleTimeoutMs()),
        read(start.getSize()),
        read(start.getEgress()),
        requested.getEnvNames(),
        Optional.ofNullable(requested.getEnvSealed()).map(Specs::base64),
        requested.getMetadata(),
        read(requested.getPatience()),
        Optional.ofNullable(requested.getFingerprint()));
  }

  /**
   * @param egress the policy in force, which may have changed since the spec was written
   */
  static StartSpec write(Spec spec, Egress egress) {
    return new StartSpec(
        new TemplateRef(spec.template().id(), spec.template().name(), spec.template().image()),
        switch (spec.mode()) {
          case Mode.Ephemeral _ -> EPHEMERAL;
          case Mode.Persistent _ -> PERSISTENT;
        },
        new io.sandglass.schemas.Size(
            spec.size().name(), spec.size().cpuMillis(), spec.size().memoryBytes()),
        write(egress));
  }

  static Long timeoutMillis(Mode mode) {
    return switch (mode) {
      case Mode.Ephemeral(Duration timeout) -> timeout.toMillis();
      case Mode.Persistent _ -> null;
    };
  }

  static Long idleTimeoutMillis(Mode mode) {
    return switch (mode) {
      case Mode.Ephemeral _ -> null;
      case Mode.Persistent(Duration idleTimeout) -> idleTimeout.toMillis();
    };
  }

  static Egress read(io.sandglass.schemas.Egress egress) {
    return new Egress(
        egress.getMode(), egress.getAllowCidrs(), egress.getDenyCidrs(), egress.getAllowPorts());
  }

  static io.sandglass.schemas.Egress write(Egress egress) {
    return new io.sandglass.schemas.Egress(
        egress.mode(), egress.allowCidrs(), egress.denyCidrs(), egress.allowPorts());
  }

  static io.sandglass.schemas.Patience write(Patience patience) {
    return new io.sandglass.schemas.Patience(
        patience.start().toMillis(),
        patience.stopRetry().toMillis(),
        patience.suspendRetry().toMillis(),
        patience.resumeRetry().toMillis(),
        patience.freezeFor().toMillis(),
        patience.maxTimeout().toMillis(),
        patience.maxPlacements());
  }

  static ByteBuffer bytes(String base64) {
    return ByteBuffer.wrap(Base64.getDecoder().decode(base64));
  }

  private static String base64(ByteBuffer bytes) {
    ByteBuffer copy = bytes.duplicate();
    byte[] array = new byte[copy.remaining()];
    copy.get(array);
    return Base64.getEncoder().encodeToString(array);
  }

  private static Mode mode(String mode, Long timeoutMillis, Long idleTimeoutMillis) {
    if (mode.equals(EPHEMERAL) && timeoutMillis != null && idleTimeoutMillis == null) {
      return new Mode.Ephemeral(Durations.read("timeout_ms", timeoutMillis));
    }
    if (mode.equals(PERSISTENT) && idleTimeoutMillis != null && timeoutMillis == null) {
      return new Mode.Persistent(Durations.read("idle_timeout_ms", idleTimeoutMillis));
    }
    throw new UnreadableException(
        "mode \"%s\" with timeout_ms %s and idle_timeout_ms %s"
            .formatted(mode, timeoutMillis, idleTimeoutMillis));
  }

  private static Template read(TemplateRef template) {
    return new Template(template.getId(), template.getName(), template.getImage());
  }

  private static Size read(io.sandglass.schemas.Size size) {
    return new Size(size.getName(), size.getCpuMillis(), size.getMemoryBytes());
  }

  private static Patience read(io.sandglass.schemas.Patience patience) {
    return new Patience(
        Duration.ofMillis(patience.getStartTimeoutMs()),
        Duration.ofMillis(patience.getStopRetryMs()),
        Duration.ofMillis(patience.getSuspendTimeoutMs()),
        Duration.ofMillis(patience.getResumeTimeoutMs()),
        Duration.ofMillis(patience.getFreezeForMs()),
        Duration.ofMillis(patience.getMaxTimeoutMs()),
        patience.getMaxPlacements());
  }
}
