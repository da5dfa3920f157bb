package io.sandglass.engine.wire;

import io.sandglass.engine.lifecycle.Depth;
import io.sandglass.engine.lifecycle.EndReason;
import io.sandglass.engine.lifecycle.ExecutionKind;
import io.sandglass.engine.lifecycle.InFlight;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Stage;
import io.sandglass.engine.lifecycle.SuspendReason;
import io.sandglass.engine.lifecycle.Tenure;
import io.sandglass.engine.wire.state.StoredInFlight;
import io.sandglass.engine.wire.state.StoredSandbox;
import io.sandglass.engine.wire.state.StoredTenure;
import io.sandglass.schemas.ChainHash;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A sandbox's state as the store keeps it. */
final class StoredStates {
  private static final String ABSENT = "absent";
  private static final String ENDED = "ended";

  private StoredStates() {}

  static StoredSandbox write(Sandbox.Absent absent, ChainHash chain) {
    return StoredSandbox.newBuilder()
        .setVersion(absent.version())
        .setOrg("")
        .setNode("")
        .setIncarnation(0)
        .setStage(ABSENT)
        .setChain(ByteBuffer.wrap(chain.toBytes()))
        .build();
  }

  static StoredSandbox write(Sandbox.Ended ended, ChainHash chain) {
    return StoredSandbox.newBuilder()
        .setVersion(ended.version())
        .setOrg(ended.org())
        .setNode(ended.node())
        .setIncarnation(ended.incarnation())
        .setStage(ENDED)
        .setReason(Codes.of(ended.reason()))
        .setFingerprint(ended.fingerprint().orElse(null))
        .setChain(ByteBuffer.wrap(chain.toBytes()))
        .build();
  }

  static StoredSandbox write(Sandbox.Live live, ChainHash chain) {
    Tenure tenure = live.tenure();
    StoredSandbox.Builder stored =
        StoredSandbox.newBuilder()
            .setVersion(live.version())
            .setOrg(tenure.org())
            .setNode(tenure.node())
            .setIncarnation(tenure.incarnation())
            .setTenure(write(tenure))
            .setChain(ByteBuffer.wrap(chain.toBytes()));
    return switch (live.stage()) {
      case Stage.Starting stage ->
          stored
              .setStage("starting")
              .setSince(stage.since())
              .setOrderVersion(stage.order())
              .build();
      case Stage.Running _ -> stored.setStage("running").build();
      case Stage.Suspending stage ->
          stored
              .setStage("suspending")
              .setDepth(Codes.of(stage.depth()))
              .setReason(Codes.of(stage.reason()))
              .setFromDepth(stage.from().map(Codes::of).orElse(null))
              .setAttempt(stage.attempt())
              .setSince(stage.since())
              .setOrderVersion(stage.order())
              .build();
      case Stage.Suspended stage ->
          stored
              .setStage("suspended")
              .setDepth(Codes.of(stage.depth()))
              .setSince(stage.since())
              .build();
      case Stage.Resuming stage ->
          stored
              .setStage("resuming")
              .setDepth(Codes.of(stage.depth()))
              .setAttempt(stage.attempt())
              .setSince(stage.since())
              .setOrderVersion(stage.order())
              .build();
      case Stage.Stopping stage ->
          stored
              .setStage("stopping")
              .setReason(Codes.of(stage.reason()))
              .setDetail(stage.detail())
              .setAttempt(stage.attempt())
              .setSince(stage.since())
              .setOrderVersion(stage.order())
              .build();
    };
  }

  static Kept read(StoredSandbox stored) {
    return new Kept(sandbox(stored), ChainHash.of(StateCodec.bytes(stored.getChain())));
  }

  private static Sandbox sandbox(StoredSandbox stored) {
    if (stored.getStage().equals(ABSENT)) {
      return new Sandbox.Absent(stored.getVersion());
    }
    if (stored.getStage().equals(ENDED)) {
      return new Sandbox.Ended(
          stored.getOrg(),
          stored.getNode(),
          stored.getIncarnation(),
          Codes.read(EndReason.class, stored.getReason()),
          Optional.ofNullable(stored.getFingerprint()),
          stored.getVersion());
    }
    return new Sandbox.Live(tenure(stored), stage(stored), stored.getVersion());
  }

  private static Stage stage(StoredSandbox stored) {
    return switch (stored.getStage()) {
      case "starting" -> new Stage.Starting(stored.getSince(), stored.getOrderVersion());
      case "running" -> new Stage.Running();
      case "suspending" ->
          new Stage.Suspending(
              depth(stored),
              Codes.read(SuspendReason.class, stored.getReason()),
              Optional.ofNullable(stored.getFromDepth()).map(code -> Codes.read(Depth.class, code)),
              stored.getAttempt(),
              stored.getSince(),
              stored.getOrderVersion());
      case "suspended" -> new Stage.Suspended(depth(stored), stored.getSince());
      case "resuming" ->
          new Stage.Resuming(
              depth(stored), stored.getAttempt(), stored.getSince(), stored.getOrderVersion());
      case "stopping" ->
          new Stage.Stopping(
              Codes.read(EndReason.class, stored.getReason()),
              stored.getDetail(),
              stored.getAttempt(),
              stored.getSince(),
              stored.getOrderVersion());
      default -> throw new UnreadableException("unknown stage \"" + stored.getStage() + "\"");
    };
  }

  private static Depth depth(StoredSandbox stored) {
    return Codes.read(Depth.class, stored.getDepth());
  }

  private static StoredTenure write(Tenure tenure) {
    Map<String, StoredInFlight> inFlight = new HashMap<>();
    tenure
        .inFlight()
        .forEach(
            (id, execution) ->
                inFlight.put(
                    id, new StoredInFlight(Codes.of(execution.kind()), execution.until())));
    return new StoredTenure(
        StoredSpecs.write(tenure.spec()),
        StoredSpecs.write(tenure.egress()),
        tenure.expiresAt().orElse(null),
        tenure.lastActivityAt(),
        inFlight);
  }

  private static Tenure tenure(StoredSandbox stored) {
    StoredTenure tenure = stored.getTenure();
    Map<String, InFlight> inFlight = new HashMap<>();
    tenure
        .getInFlight()
        .forEach(
            (id, execution) ->
                inFlight.put(
                    id,
                    new InFlight(
                        Codes.read(ExecutionKind.class, execution.getKind()),
                        execution.getUntil())));
    return new Tenure(
        stored.getOrg(),
        StoredSpecs.read(tenure.getSpec()),
        stored.getNode(),
        stored.getIncarnation(),
        StoredSpecs.read(tenure.getEgress()),
        Optional.ofNullable(tenure.getExpiresAt()),
        tenure.getLastActivityAt(),
        inFlight);
  }
}
