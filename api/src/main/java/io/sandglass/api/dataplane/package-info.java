/** The client of the nodes' data plane: executions and their output, streamed. */
package io.sandglass.api.dataplane;
