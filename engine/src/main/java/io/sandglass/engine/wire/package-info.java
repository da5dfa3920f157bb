/**
 * The one crossing between Avro and the domain: commands and reports come in, events, orders and
 * outcomes go out, and the engine's own state is put into bytes. Closed codes are lower-case enum
 * names; a code this release doesn't know makes the whole record unreadable, it is never guessed.
 * Depends on the lifecycle, the fleet's types and the schemas; touches neither Streams nor a store.
 */
package io.sandglass.engine.wire;
