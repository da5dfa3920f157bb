package io.sandglass.engine.stream;

import io.sandglass.engine.fleet.Node;
import io.sandglass.engine.fleet.Placement;
import io.sandglass.engine.fleet.Tally;
import io.sandglass.engine.lifecycle.Command;
import io.sandglass.engine.lifecycle.Event;
import io.sandglass.engine.lifecycle.Fact;
import io.sandglass.engine.lifecycle.Sandbox;
import io.sandglass.engine.lifecycle.Spec;
import java.util.Optional;
import java.util.Set;

/** Puts a node into the commands that need one, and keeps count of what was placed. */
final class Placer {
  private final NodeDirectory nodes;
  private final Tally tally = new Tally();

  Placer(NodeDirectory nodes) {
    this.nodes = nodes;
  }

  /** The request with the node it needs, if there is one. */
  Command.Request place(Command.Request request, Sandbox state) {
    return request instanceof Command.Create create
            && state instanceof Sandbox.Absent
            && !isClaimedOnAReadyNode(create)
        ? new Command.Create(create.caller(), create.spec(), choose(create.spec(), Set.of()), false)
        : request;
  }

  private boolean isClaimedOnAReadyNode(Command.Create create) {
    return create.claimed()
        && create
            .node()
            .flatMap(nodes::find)
            .filter(node -> node.state() == Node.State.READY)
            .isPresent();
  }

  /** The report with the node that comes next, if it asks for one. */
  Command.Report place(Command.Report report, Sandbox state) {
    return report instanceof Command.Refused refused
        ? new Command.Refused(
            refused.caller(),
            refused.origin(),
            refused.detail(),
            elsewhere(state, refused.origin().node()))
        : report;
  }

  /** Where a sandbox could go instead of {@code nodeId}. */
  Optional<String> elsewhere(Sandbox state, String nodeId) {
    return state instanceof Sandbox.Live live
        ? choose(live.tenure().spec(), Set.of(nodeId))
        : Optional.empty();
  }

  /** Counts what an event has placed. */
  void note(Event event, Sandbox after) {
    if (event.fact() instanceof Fact.SandboxRequested
        || event.fact() instanceof Fact.PlacementChanged) {
      if (after instanceof Sandbox.Live live) {
        nodes
            .find(live.tenure().node())
            .ifPresent(node -> tally.add(node, live.tenure().spec().size().memoryBytes()));
      }
    }
  }

  private Optional<String> choose(Spec spec, Set<String> excluded) {
    return Placement.choose(
            nodes.all(), spec.template().image(), spec.size().memoryBytes(), excluded, tally)
        .map(Node::id);
  }
}
