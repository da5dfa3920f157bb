/**
 * Reads the log from its first record: to check it, to tell of it, and to write it out. Uses the
 * same fold as the engine; writes to no topic.
 */
package io.sandglass.engine.replay;
