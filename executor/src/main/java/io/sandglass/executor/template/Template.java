package io.sandglass.executor.template;

import java.util.Optional;

/**
 * A template as an organization has defined it.
 *
 * @param revision new for every definition of the same template
 * @param image the reference that its sandboxes start from; with a Dockerfile, of what is built
 * @param dockerfile empty for an image that is used as it is
 * @param warm how many containers each node that has the image keeps ready
 */
public record Template(
    String id,
    String orgId,
    String name,
    String revision,
    String image,
    Optional<String> dockerfile,
    int warm) {}
