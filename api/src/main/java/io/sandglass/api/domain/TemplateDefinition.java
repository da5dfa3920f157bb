package io.sandglass.api.domain;

import java.time.Instant;
import java.util.Optional;

/**
 * A template as an organization has defined it.
 *
 * @param id derived from the organization and the name, so that there is one of a name
 * @param revision new for every definition; also the name of the key that opens its environment
 * @param image the reference to start from; with a Dockerfile, the one that nodes build
 * @param dockerfile empty for an image that is used as it is
 * @param env defaults of the environment
 * @param egress default of the network policy
 * @param warm how many containers each node that has the image keeps ready
 */
public record TemplateDefinition(
    String id,
    String orgId,
    String name,
    String revision,
    String image,
    Optional<String> dockerfile,
    String description,
    SealedEnv env,
    Optional<EgressPolicy> egress,
    int warm,
    Instant createdAt) {

  /** What nodes call the images they build; nobody may refer to them but by their template. */
  private static final String BUILT = "sandglass-template/";

  public static String id(String orgId, String name) {
    return Ids.derived("tpl_", orgId, name);
  }

  /** Where the image of a Dockerfile will be found. */
  public static String builtImage(String id, String revision) {
    return BUILT + id + ":" + revision;
  }

  /** Whether an image was built for somebody's template. */
  public static boolean isBuilt(String image) {
    return image.contains(BUILT);
  }

  /** What a sandbox's history keeps of it. */
  public Template reference() {
    return new Template(id, name, image);
  }
}
