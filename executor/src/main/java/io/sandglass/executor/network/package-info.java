/**
 * What sandboxes may reach: addresses, sets of networks, what a policy comes to, and the port of
 * the packet filter that enforces it. Pure but for the port; depends on {@code java.*} and the
 * runtime's two kinds of failure alone. The adapter lives in a package below.
 */
package io.sandglass.executor.network;
