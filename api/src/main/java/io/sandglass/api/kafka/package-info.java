/**
 * Everything that talks to Kafka: the command gateway, and the readers of outcomes, events and
 * nodes. Records cross into the domain through {@code wire}.
 */
package io.sandglass.api.kafka;
