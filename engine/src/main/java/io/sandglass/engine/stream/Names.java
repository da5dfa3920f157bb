package io.sandglass.engine.stream;

/**
 * Names of the topology's nodes and stores. They are in metrics, logs and the names of changelog
 * topics: renaming a store loses what it holds.
 */
final class Names {
  static final String COMMANDS = "commands";
  static final String SANDBOX_PROCESSOR = "sandbox-processor";
  static final String EVENTS = "events";
  static final String CHECKPOINTS = "checkpoints";
  static final String ORDERS = "orders";
  static final String OUTCOMES = "outcomes";
  static final String DEAD_COMMANDS = "dead-commands";

  static final String HEARTBEATS = "heartbeats";
  static final String HEARTBEAT_PROCESSOR = "heartbeat-processor";
  static final String NODE_STATUSES = "node-statuses";
  static final String PULSES = "pulses";
  static final String DEAD_HEARTBEATS = "dead-heartbeats";

  static final String NODE_UPDATES = "node-updates";
  static final String NODE_TABLE = "node-table";

  static final String USAGE_PROCESSOR = "usage-processor";
  static final String USAGE = "usage";
  static final String DEAD_EVENTS = "dead-events";
  static final String METERS_STORE = "meters";

  static final String SANDBOXES_STORE = "sandboxes";
  static final String DEADLINES_STORE = "deadlines";
  static final String LEDGER_STORE = "ledger";
  static final String RECEIPTS_STORE = "receipts";
  static final String FLEET_STORE = "fleet";
  static final String NODES_STORE = "nodes";

  private Names() {}
}
