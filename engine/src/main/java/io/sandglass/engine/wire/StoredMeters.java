package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Size;
import io.sandglass.engine.lifecycle.Template;
import io.sandglass.engine.usage.Meter;
import io.sandglass.engine.usage.Subject;
import io.sandglass.engine.usage.Use;
import io.sandglass.engine.wire.state.StoredCharge;
import io.sandglass.engine.wire.state.StoredMeter;
import java.util.Optional;

/** A sandbox's metering as the store keeps it. */
final class StoredMeters {
  private StoredMeters() {}

  static StoredMeter write(Meter meter) {
    Subject subject = meter.subject();
    return new StoredMeter(
        subject.org(),
        subject.template().id(),
        subject.template().name(),
        subject.template().image(),
        subject.size().name(),
        subject.size().cpuMillis(),
        subject.size().memoryBytes(),
        meter.node(),
        meter.expiresAt().orElse(null),
        meter.awake(),
        meter
            .running()
            .map(
                charge ->
                    new StoredCharge(
                        Codes.of(charge.use()), charge.openedBy(), charge.since(), charge.closed()))
            .orElse(null));
  }

  static Meter read(String sandboxId, StoredMeter stored) {
    return new Meter(
        new Subject(
            sandboxId,
            stored.getOrg(),
            new Template(stored.getTemplateId(), stored.getTemplateName(), stored.getImage()),
            new Size(stored.getSizeName(), stored.getCpuMillis(), stored.getMemoryBytes())),
        stored.getNode(),
        Optional.ofNullable(stored.getExpiresAt()),
        stored.getAwake(),
        Optional.ofNullable(stored.getCharge())
            .map(
                charge ->
                    new Meter.Charge(
                        Codes.read(Use.class, charge.getUse()),
                        charge.getOpenedBy(),
                        charge.getSince(),
                        charge.getClosed())));
  }
}
