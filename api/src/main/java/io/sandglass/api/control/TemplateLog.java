package io.sandglass.api.control;

import io.sandglass.api.domain.TemplateDefinition;

/** Where definitions of templates are kept for everybody who acts on them. */
public interface TemplateLog {

  /**
   * Returns when it is there for good.
   *
   * @return its place in the log
   * @throws LogUnavailableException when it is not, or perhaps not
   */
  long define(TemplateDefinition definition, Origin origin);

  /** Likewise. */
  long delete(String templateId);
}
