package io.sandglass.executor.runtime;

import java.util.List;

/**
 * How an image is made. The last stage's image is the result.
 *
 * @param stages each from an image of its own; one may take files from those before it
 */
public record Recipe(List<Stage> stages) {
  public Recipe {
    stages = List.copyOf(stages);
  }

  public record Stage(Source base, List<Step> steps) {
    public Stage {
      steps = List.copyOf(steps);
    }
  }

  /** Where files come from. */
  public sealed interface Source {

    /** An image of this node, by its reference. */
    record Image(String reference) implements Source {}

    /** An earlier stage, from 0 on. */
    record Earlier(int stage) implements Source {}
  }

  /** One after the other, each upon what the one before has left. */
  public sealed interface Step {

    /** An instruction that runs nothing, on one line, such as {@code ENV A=1}. */
    record Configure(String instruction) implements Step {}

    /**
     * @param arguments flags, files and their destination
     */
    record Copy(Source from, String arguments) implements Step {}

    /**
     * @param command for the shell, or an array of words in JSON
     */
    record Run(String command) implements Step {}
  }
}
