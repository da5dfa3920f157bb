package io.sandglass.api.control;

import java.util.List;

/** Whether everything is there that a create needs. */
public interface Readiness {

  /** What is not, one phrase each; empty when ready. */
  List<String> missing();
}
