/** The only place where Avro records and the domain meet. Knows no Kafka. */
package io.sandglass.api.wire;
