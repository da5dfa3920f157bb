/**
 * The executor's own HTTP interface, on which the API reaches the sandboxes of this node: JSON in,
 * a stream of frames or a problem out. Depends on {@code sandbox} and {@code execution}.
 */
package io.sandglass.executor.dataplane;
