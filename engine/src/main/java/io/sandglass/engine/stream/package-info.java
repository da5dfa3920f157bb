/**
 * The lifecycle on Kafka Streams: one processor for the sandboxes with its stores of states,
 * deadlines and receipts, and one for the nodes' heartbeats. Everything that reads or writes a
 * topic or a store is here, and nothing else is: what becomes of a command is decided in the
 * lifecycle, what a record means in the wire.
 */
package io.sandglass.engine.stream;
