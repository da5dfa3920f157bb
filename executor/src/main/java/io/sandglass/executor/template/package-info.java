/**
 * Templates on a node: what is defined, as the log has it, and the images that this node builds of
 * Dockerfiles. {@link io.sandglass.executor.template.Dockerfile} is pure. Reaches the outside
 * through ports alone: the image builder and the reports of builds.
 */
package io.sandglass.executor.template;
