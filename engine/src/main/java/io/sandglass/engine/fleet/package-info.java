/**
 * The nodes: who is there, which slot each has, who has fallen silent, and where a sandbox goes.
 * Pure values and functions; depends on {@code java.*} only.
 */
package io.sandglass.engine.fleet;
