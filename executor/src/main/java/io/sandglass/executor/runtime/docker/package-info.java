/**
 * The Docker Engine as a {@link io.sandglass.executor.runtime.ContainerRuntime}. The only package
 * that knows docker-java.
 */
package io.sandglass.executor.runtime.docker;
