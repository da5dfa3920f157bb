package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Egress;
import io.sandglass.engine.lifecycle.Mode;
import io.sandglass.engine.lifecycle.Patience;
import io.sandglass.engine.lifecycle.Size;
import io.sandglass.engine.lifecycle.Spec;
import io.sandglass.engine.lifecycle.Template;
import io.sandglass.engine.wire.state.StoredEgress;
import io.sandglass.engine.wire.state.StoredPatience;
import io.sandglass.engine.wire.state.StoredSpec;
import java.time.Duration;
import java.util.Optional;

/** What was asked for, as the store keeps it. */
final class StoredSpecs {
  private StoredSpecs() {}

  static StoredSpec write(Spec spec) {
    return new StoredSpec(
        spec.template().id(),
        spec.template().name(),
        spec.template().image(),
        Specs.timeoutMillis(spec.mode()),
        Specs.idleTimeoutMillis(spec.mode()),
        spec.size().name(),
        spec.size().cpuMillis(),
        spec.size().memoryBytes(),
        write(spec.egress()),
        spec.envNames(),
        spec.envSealed().orElse(null),
        spec.metadata(),
        write(spec.patience()),
        spec.fingerprint().orElse(null));
  }

  static Spec read(StoredSpec stored) {
    return new Spec(
        new Template(stored.getTemplateId(), stored.getTemplateName(), stored.getImage()),
        stored.getTimeoutMs() != null
            ? new Mode.Ephemeral(Duration.ofMillis(stored.getTimeoutMs()))
            : new Mode.Persistent(Duration.ofMillis(stored.getIdleTimeoutMs())),
        new Size(stored.getSizeName(), stored.getCpuMillis(), stored.getMemoryBytes()),
        read(stored.getEgress()),
        stored.getEnvNames(),
        Optional.ofNullable(stored.getEnvSealed()),
        stored.getMetadata(),
        read(stored.getPatience()),
        Optional.ofNullable(stored.getFingerprint()));
  }

  static StoredEgress write(Egress egress) {
    return new StoredEgress(
        egress.mode(), egress.allowCidrs(), egress.denyCidrs(), egress.allowPorts());
  }

  static Egress read(StoredEgress stored) {
    return new Egress(
        stored.getMode(), stored.getAllowCidrs(), stored.getDenyCidrs(), stored.getAllowPorts());
  }

  private static StoredPatience write(Patience patience) {
    return new StoredPatience(
        patience.start().toMillis(),
        patience.stopRetry().toMillis(),
        patience.suspendRetry().toMillis(),
        patience.resumeRetry().toMillis(),
        patience.freezeFor().toMillis(),
        patience.maxTimeout().toMillis(),
        patience.maxPlacements());
  }

  private static Patience read(StoredPatience stored) {
    return new Patience(
        Duration.ofMillis(stored.getStartMs()),
        Duration.ofMillis(stored.getStopRetryMs()),
        Duration.ofMillis(stored.getSuspendRetryMs()),
        Duration.ofMillis(stored.getResumeRetryMs()),
        Duration.ofMillis(stored.getFreezeForMs()),
        Duration.ofMillis(stored.getMaxTimeoutMs()),
        stored.getMaxPlacements());
  }
}
