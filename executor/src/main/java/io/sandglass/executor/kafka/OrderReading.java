package io.sandglass.executor.kafka;

import io.sandglass.executor.runtime.ContainerSpec.Limits;
import io.sandglass.executor.runtime.Life;
import io.sandglass.executor.sandbox.Depth;
import io.sandglass.executor.sandbox.EgressPolicy;
import io.sandglass.executor.sandbox.Order;
import io.sandglass.schemas.Egress;
import io.sandglass.schemas.EgressChanged;
import io.sandglass.schemas.EventMeta;
import io.sandglass.schemas.PlacementChanged;
import io.sandglass.schemas.RemoveContainer;
import io.sandglass.schemas.ResumeRequested;
import io.sandglass.schemas.SandboxRequested;
import io.sandglass.schemas.Size;
import io.sandglass.schemas.StartSpec;
import io.sandglass.schemas.StopRequested;
import io.sandglass.schemas.SuspendRequested;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;

/** Reads an order from its record. */
final class OrderReading {
  private final String nodeId;

  OrderReading(String nodeId) {
    this.nodeId = nodeId;
  }

  /** What came of reading. */
  sealed interface Reading {
    record Read(Order order) implements Reading {}

    /** For the node that had this slot before. */
    record ForeignNode(String nodeId) implements Reading {}

    /** No order that this release knows. */
    record Unreadable(String reason) implements Reading {}
  }

  Reading read(SpecificRecord record) {
    return switch (record) {
      case SandboxRequested requested ->
          read(requested.getMeta(), subject -> start(subject, requested.getSpec()));
      case PlacementChanged changed ->
          read(changed.getMeta(), subject -> start(subject, changed.getSpec()));
      case SuspendRequested suspend ->
          read(suspend.getMeta(), subject -> new Order.Suspend(subject, depth(suspend.getDepth())));
      case ResumeRequested resume -> read(resume.getMeta(), Order.Resume::new);
      case EgressChanged changed ->
          read(
              changed.getMeta(),
              subject -> new Order.ApplyEgress(subject, egress(changed.getEgress())));
      case StopRequested stop -> read(stop.getMeta(), Order.Stop::new);
      case RemoveContainer remove -> {
        Life life = new Life(remove.getSandboxId(), remove.getIncarnation());
        yield read(
            remove.getNodeId(),
            () ->
                new Order.Remove(
                    new Order.Subject(life, "", 0, Optional.empty()), remove.getReason()));
      }
      default -> new Reading.Unreadable("no order: " + record.getSchema().getName());
    };
  }

  private interface ToOrder {
    Order of(Order.Subject subject);
  }

  private Reading read(EventMeta meta, ToOrder toOrder) {
    return read(
        meta.getNodeId(),
        () ->
            toOrder.of(
                new Order.Subject(
                    new Life(meta.getSandboxId(), meta.getIncarnation()),
                    meta.getOrgId(),
                    meta.getVersion(),
                    Optional.ofNullable(meta.getRequestId()))));
  }

  private Reading read(String recipient, Supplier<Order> order) {
    if (!recipient.equals(nodeId)) {
      return new Reading.ForeignNode(recipient);
    }
    try {
      return new Reading.Read(order.get());
    } catch (IllegalArgumentException e) {
      return new Reading.Unreadable(e.getMessage());
    }
  }

  private static Order start(Order.Subject subject, StartSpec spec) {
    Size size = spec.getSize();
    return new Order.Start(
        subject,
        spec.getTemplate().getImage(),
        new Limits(size.getCpuMillis(), size.getMemoryBytes()),
        egress(spec.getEgress()));
  }

  private static Depth depth(String depth) {
    return switch (depth) {
      case "frozen" -> Depth.FROZEN;
      case "stopped" -> Depth.STOPPED;
      default -> throw new IllegalArgumentException("unknown depth " + depth);
    };
  }

  private static EgressPolicy egress(Egress egress) {
    return new EgressPolicy(
        EgressPolicy.Mode.named(egress.getMode()),
        List.copyOf(egress.getAllowCidrs()),
        List.copyOf(egress.getDenyCidrs()),
        List.copyOf(egress.getAllowPorts()));
  }
}
