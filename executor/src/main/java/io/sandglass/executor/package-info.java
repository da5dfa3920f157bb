/**
 * The executor of a node: turns orders into containers, reports what became of them, and runs
 * commands in them. This package is the composition root: configuration, lifecycle, health.
 */
package io.sandglass.executor;
