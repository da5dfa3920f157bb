package io.sandglass.schemas;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;

/** Brings the topics into being. */
public final class Topics {
  private Topics() {}

  /**
   * Creates the topics that do not exist yet; those that do are left as they are. Several processes
   * may call this at once.
   *
   * @throws IllegalStateException when Kafka refuses to create one, with its reason
   */
  public static void ensure(Admin admin, int sandboxPartitions, int nodeSlots, short replication)
      throws InterruptedException {
    try {
      Set<String> existing = admin.listTopics().names().get();
      List<NewTopic> missing = new ArrayList<>();
      for (Topic topic : Topic.values()) {
        if (!existing.contains(topic.topicName())) {
          missing.add(topic.create(sandboxPartitions, nodeSlots, replication));
        }
      }
      for (var creation : admin.createTopics(missing).values().values()) {
        try {
          creation.get();
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof TopicExistsException)) {
            throw e;
          }
        }
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(
          "Kafka did not create the topics: " + e.getCause().getMessage(), e.getCause());
    }
  }
}
