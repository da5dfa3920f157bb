/**
 * What is on the wire: one Avro record per command, report, event and outcome, the topics they live
 * in, and the serde. A consumer of the log needs this jar and nothing else of Sandglass.
 */
package io.sandglass.schemas;
