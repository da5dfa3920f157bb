package io.sandglass.schemas;

import org.apache.avro.specific.SpecificRecord;

/**
 * The bytes of a Kafka value, told apart: a record, one of a schema this jar does not know, or no
 * record at all.
 */
public sealed interface Decoded {

  /** A record, read with the schema it was written with. */
  record Known(SpecificRecord record) implements Decoded {}

  /**
   * Well-formed, but written with a schema that this jar's history does not hold: by a newer
   * release.
   *
   * @param fingerprint CRC-64-AVRO of the writer's schema
   */
  record Unknown(long fingerprint) implements Decoded {}

  /** Not in Avro's single-object encoding, or broken inside. */
  record Malformed(String reason) implements Decoded {}
}
