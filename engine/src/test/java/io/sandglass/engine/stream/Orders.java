package io.sandglass.engine.stream;

import io.sandglass.schemas.BeginExecution;
import io.sandglass.schemas.CommandMeta;
import io.sandglass.schemas.CreateSandbox;
import io.sandglass.schemas.DestroySandbox;
import io.sandglass.schemas.Egress;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.KeepAlive;
import io.sandglass.schemas.ReportOrigin;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.StartSpec;
import io.sandglass.schemas.SuspendSandbox;
import io.sandglass.schemas.TemplateRef;
import io.sandglass.schemas.WakeSandbox;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;

/** The commands and reports of the tests. */
final class Orders {
  static final String ORG = "org_a";
  static final Duration TIMEOUT = Duration.ofMinutes(5);
  static final Duration IDLE_TIMEOUT = Duration.ofMinutes(10);
  static final int REPLY_PARTITION = 3;
  static final Egress ALLOW_ALL = new Egress("allow_all", List.of(), List.of(), List.of());

  private Orders() {}

  /** A command that has yet to be given its id and time. */
  record Command(
      String sandboxId, String org, String actor, String fingerprint, Integer reply, Body body) {
    interface Body {
      SpecificRecord with(CommandMeta meta);
    }

    static Command of(String sandboxId, Body body) {
      return new Command(sandboxId, ORG, "key:key_1", null, REPLY_PARTITION, body);
    }

    Command from(String otherOrg) {
      return new Command(sandboxId, otherOrg, actor, fingerprint, reply, body);
    }

    Command fingerprint(String hash) {
      return new Command(sandboxId, org, actor, hash, reply, body);
    }

    Command withoutAnswer() {
      return new Command(sandboxId, org, actor, fingerprint, null, body);
    }

    SpecificRecord record(String commandId, Instant at) {
      return body.with(
          new CommandMeta(
              commandId, sandboxId, org, actor, "req-" + commandId, reply, at, fingerprint));
    }
  }

  static Command create(String id) {
    return create(id, "shared-cpu-1x", Beats.GIB / 4);
  }

  static Command create(String id, String size, long memory) {
    return create(id, spec("ephemeral", size, memory), TIMEOUT.toMillis(), null, null);
  }

  /** For which a node has set a container aside. */
  static Command createOn(String node, String id) {
    return create(id, small("ephemeral"), TIMEOUT.toMillis(), null, node);
  }

  static Command createPersistent(String id) {
    return create(id, small("persistent"), null, IDLE_TIMEOUT.toMillis(), null);
  }

  static Command createMode(String id, String mode) {
    return create(id, small(mode), TIMEOUT.toMillis(), null, null);
  }

  private static Command create(
      String id, StartSpec spec, Long timeoutMillis, Long idleTimeoutMillis, String claimedOn) {
    return Command.of(
        id,
        meta ->
            new CreateSandbox(
                meta,
                spec,
                timeoutMillis,
                idleTimeoutMillis,
                List.of(),
                null,
                Map.of(),
                claimedOn));
  }

  private static StartSpec small(String mode) {
    return spec(mode, "shared-cpu-1x", Beats.GIB / 4);
  }

  private static StartSpec spec(String mode, String size, long memory) {
    return new StartSpec(
        new TemplateRef("tpl_python", "python", Beats.IMAGE),
        mode,
        new Size(size, 1000, memory),
        ALLOW_ALL);
  }

  static Command destroy(String id) {
    return Command.of(id, DestroySandbox::new);
  }

  static Command keepAlive(String id, Duration timeout) {
    return Command.of(id, meta -> new KeepAlive(meta, timeout.toMillis()));
  }

  static Command suspend(String id) {
    return Command.of(id, SuspendSandbox::new);
  }

  static Command wake(String id) {
    return Command.of(id, WakeSandbox::new);
  }

  static Command execute(String id, String executionId) {
    return Command.of(
        id, meta -> new BeginExecution(meta, executionId, "command", "true", 30_000L, null));
  }

  /** What a node says of a sandbox. */
  interface Reporting {
    SpecificRecord record(CommandMeta meta, ReportOrigin origin);
  }

  static Command report(String id, EventMeta order, Reporting reporting) {
    return report(id, order.getNodeId(), order.getIncarnation(), order.getVersion(), reporting);
  }

  static Command report(
      String id, String node, int incarnation, long orderVersion, Reporting reporting) {
    return new Command(
        id,
        ORG,
        "node:" + node,
        null,
        REPLY_PARTITION,
        meta -> reporting.record(meta, new ReportOrigin(node, incarnation, orderVersion)));
  }

  static EventMeta meta(Rig.Sent event) {
    return (EventMeta) event.body().get(0);
  }
}
