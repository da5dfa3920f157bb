/**
 * The log as the executor sees it: orders and node status in, reports and heartbeats out. The only
 * package that knows Kafka and the wire records; {@code OrderReading} and {@code ReportWriting} are
 * the crossing to the executor's own terms.
 */
package io.sandglass.executor.kafka;
