/**
 * What a node does with sandboxes: orders in, containers and guests moved accordingly, reports out,
 * and the comparison of what is there with what is known. Pure decisions ({@link
 * io.sandglass.executor.sandbox.RelistDiff}, {@link io.sandglass.executor.sandbox.Capacity}, {@link
 * io.sandglass.executor.sandbox.EgressPolicy}) stand apart from effects. Reaches the outside
 * through ports alone: the container runtime, the packet filter, the guest channels, the reports.
 */
package io.sandglass.executor.sandbox;
