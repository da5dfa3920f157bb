package io.sandglass.engine.stream;

import io.sandglass.schemas.WireFormat;
import java.util.Optional;
import java.util.Set;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.StreamPartitioner;

/**
 * A record on its way out.
 *
 * @param partition where to; empty for the partition of its key
 */
record Outgoing(Bytes value, Optional<Integer> partition) {

  static Outgoing byKey(SpecificRecord body) {
    return new Outgoing(Bytes.wrap(WireFormat.encode(body)), Optional.empty());
  }

  static Outgoing to(Optional<Integer> partition, SpecificRecord body) {
    return new Outgoing(Bytes.wrap(WireFormat.encode(body)), partition);
  }

  static Serializer<Outgoing> serializer() {
    return (_, outgoing) -> outgoing.value().get();
  }

  /**
   * Where a record goes: where it is addressed to, if there is such a partition (a client may ask
   * for one that isn't there, and must not stop the engine with it), else by its key.
   */
  static StreamPartitioner<byte[], Outgoing> partitioner() {
    return (_, _, outgoing, partitions) ->
        outgoing.partition().filter(p -> p >= 0 && p < partitions).map(Set::of);
  }
}
