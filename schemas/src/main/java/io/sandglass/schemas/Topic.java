package io.sandglass.schemas;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.TopicConfig;

/** The topics of the control plane, and how each is partitioned and kept. */
public enum Topic {
  /** Commands of clients and reports of nodes, by sandbox id. */
  COMMANDS("sandbox.commands", Layout.SANDBOX, deletedAfter(Duration.ofDays(7))),
  /** The facts, by sandbox id. Never compacted, never deleted; only the engine writes here. */
  EVENTS("sandbox.events", Layout.SANDBOX, keptForEver()),
  /**
   * What the engine vouches for, by its signature: how far the events went, partition by partition.
   */
  CHECKPOINTS("sandbox.checkpoints", Layout.SANDBOX, keptForEver()),
  /** What became of a command, in the partition where the asking API instance listens. */
  OUTCOMES("sandbox.outcomes", Layout.SANDBOX, deletedAfter(Duration.ofHours(1))),
  /** What a node has to do, in the partition that is the node's slot; keyed by sandbox id. */
  ORDERS("sandbox.orders", Layout.NODE, deletedAfter(Duration.ofDays(7))),
  /** Nodes saying that they are alive. One partition: slots are given out in one order. */
  HEARTBEATS("sandbox.heartbeats", Layout.SINGLE, deletedAfter(Duration.ofHours(1))),
  /** The newest status of every node, by node id. */
  NODES("sandbox.nodes", Layout.SINGLE, compacted()),
  /** Definitions of templates by template id, and how far each node is with building them. */
  TEMPLATES("sandbox.templates", Layout.SINGLE, compacted()),
  /**
   * What is charged for: intervals by organization id, and how far they are complete. One
   * partition, so that what a watermark promises holds for all that stands before it.
   */
  USAGE("sandbox.usage", Layout.SINGLE, deletedAfter(Duration.ofDays(400))),
  /** What could not be processed, with the reason. */
  DEAD_LETTERS("sandbox.dead-letters", Layout.SINGLE, deletedAfter(Duration.ofDays(30)));

  /** What a topic's partition count follows. */
  private enum Layout {
    SANDBOX,
    NODE,
    SINGLE
  }

  private final String name;
  private final Layout layout;

  @SuppressWarnings("ImmutableEnumChecker") // only ever Map.of
  private final Map<String, String> config;

  Topic(String name, Layout layout, Map<String, String> config) {
    this.name = name;
    this.layout = layout;
    this.config = config;
  }

  /** The topic's name in Kafka. */
  public String topicName() {
    return name;
  }

  /**
   * The topic as it is created.
   *
   * @param sandboxPartitions partitions of the topics keyed by sandbox; can't change later, because
   *     a sandbox's history lives in one partition
   * @param nodeSlots partitions of the orders topic: how many nodes there can be
   * @param replication copies of each partition
   */
  public NewTopic create(int sandboxPartitions, int nodeSlots, short replication) {
    int partitions =
        switch (layout) {
          case SANDBOX -> sandboxPartitions;
          case NODE -> nodeSlots;
          case SINGLE -> 1;
        };
    return new NewTopic(name, partitions, replication).configs(config);
  }

  private static Map<String, String> deletedAfter(Duration retention) {
    return Map.of(
        TopicConfig.CLEANUP_POLICY_CONFIG,
        TopicConfig.CLEANUP_POLICY_DELETE,
        TopicConfig.RETENTION_MS_CONFIG,
        Long.toString(retention.toMillis()));
  }

  private static Map<String, String> keptForEver() {
    return Map.of(
        TopicConfig.CLEANUP_POLICY_CONFIG,
        TopicConfig.CLEANUP_POLICY_DELETE,
        TopicConfig.RETENTION_MS_CONFIG,
        "-1",
        TopicConfig.RETENTION_BYTES_CONFIG,
        "-1");
  }

  private static Map<String, String> compacted() {
    return Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
  }
}
