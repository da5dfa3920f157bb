/**
 * Commands inside sandboxes: what is asked, what comes out, how it ends, and the port to the guest
 * that runs them. Knows neither HTTP nor Kafka nor Docker.
 */
package io.sandglass.executor.execution;
