/**
 * The life of one sandbox, as pure functions: {@link Decider} turns a command into facts, {@link
 * Evolution} folds facts into state, {@link Deadline} tells when time itself will be a command.
 * Depends on {@code java.*} only: no clock, no randomness, no configuration, no wire.
 */
package io.sandglass.engine.lifecycle;
