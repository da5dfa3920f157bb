package io.sandglass.executor.runtime;

import java.io.OutputStream;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Builds images, and knows those it has built. What a recipe runs is nobody's friend: it is held
 * within the walls of a sandbox. Nothing is ever fetched.
 *
 * <p>Each may throw {@link RuntimeUnavailableException}: worth another attempt, from the beginning.
 */
public interface ImageBuilder {

  /**
   * What is to be built.
   *
   * @param image the reference to give it; it is there only when all of it is
   * @param revision what it is built from, to be told by {@link #built}
   */
  record Job(String image, String revision, Recipe recipe) {}

  /** An image that this node has built. */
  record Built(String image, String revision) {}

  /** What came of it. */
  sealed interface Outcome {
    record Done() implements Outcome {}

    /** It can't be built; another attempt would end the same. */
    record Failed(String why) implements Outcome {}

    /** Nobody wants it any longer. */
    record Abandoned() implements Outcome {}
  }

  /**
   * Builds an image. Unless it is done, nothing is left of it.
   *
   * @param log what is done, and what the commands write
   * @param abandoned asked now and then
   */
  Outcome build(Job job, OutputStream log, BooleanSupplier abandoned);

  List<Built> built();

  /**
   * Removes an image.
   *
   * @return false when some container still is of it
   */
  boolean remove(String image);

  /** Removes what builds have left that were broken off with their process. */
  void clear();
}
