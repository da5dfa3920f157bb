package io.sandglass.api.wire;

import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.domain.TemplateBuild;
import io.sandglass.api.domain.TemplateDefinition;
import io.sandglass.schemas.TemplateDefined;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Templates as the log has them. */
public final class TemplateRecords {
  private TemplateRecords() {}

  public static TemplateDefined write(
      TemplateDefinition definition, String actor, String requestId) {
    byte[] sealed = definition.env().sealed();
    return TemplateDefined.newBuilder()
        .setTemplateId(definition.id())
        .setOrgId(definition.orgId())
        .setName(definition.name())
        .setRevision(definition.revision())
        .setImage(definition.image())
        .setDockerfile(definition.dockerfile().orElse(null))
        .setDescription(definition.description())
        .setEnvNames(definition.env().names())
        .setEnvSealed(sealed == null ? null : ByteBuffer.wrap(sealed))
        .setEgress(definition.egress().map(CommandWriter::egress).orElse(null))
        .setWarm(definition.warm())
        .setActor(actor)
        .setRequestId(requestId)
        .setAt(definition.createdAt())
        .build();
  }

  public static TemplateDefinition read(TemplateDefined defined) {
    ByteBuffer sealed = defined.getEnvSealed();
    return new TemplateDefinition(
        defined.getTemplateId(),
        defined.getOrgId(),
        defined.getName(),
        defined.getRevision(),
        defined.getImage(),
        Optional.ofNullable(defined.getDockerfile()),
        defined.getDescription(),
        new SealedEnv(defined.getEnvNames(), sealed == null ? null : EventReader.bytes(sealed)),
        Optional.ofNullable(defined.getEgress()).map(EventReader::policy),
        defined.getWarm(),
        defined.getAt());
  }

  /** Empty for a state that this release does not know. */
  public static Optional<TemplateBuild> read(io.sandglass.schemas.TemplateBuild build) {
    return TemplateBuild.State.parse(build.getState())
        .map(
            state ->
                new TemplateBuild(
                    build.getTemplateId(),
                    build.getNodeId(),
                    build.getRevision(),
                    state,
                    Optional.ofNullable(build.getError()),
                    build.getAt()));
  }
}
