/**
 * The container runtime as the executor sees it: a port in the vocabulary of sandboxes, told in
 * results and two kinds of failure. Depends on {@code java.*} alone; adapters live in packages
 * below.
 */
package io.sandglass.executor.runtime;
