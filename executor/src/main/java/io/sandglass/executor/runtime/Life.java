package io.sandglass.executor.runtime;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One life of a sandbox's container. A sandbox that is placed anew gets the next incarnation, so
 * what belongs to an older one can always be told.
 *
 * @param incarnation from 1; 0 for a spare: a container that is made ahead, for whichever sandbox
 *     claims it
 */
public record Life(String sandboxId, int incarnation) {
  private static final Pattern NAME =
      Pattern.compile("sbx-(?<sandbox>.+)-(?<incarnation>[1-9][0-9]{0,8})|pool-(?<spare>.+)");

  /** A container that is nobody's yet. */
  public static Life spare(String id) {
    return new Life(id, 0);
  }

  public boolean isSpare() {
    return incarnation == 0;
  }

  /**
   * The container's name, which is also its identity: the same life never has two containers, and a
   * container that gets the name of another life is that life's from then on.
   */
  public String containerName() {
    return isSpare() ? "pool-" + sandboxId : "sbx-" + sandboxId + "-" + incarnation;
  }

  /** The life whose container has this name; empty when it is none of ours. */
  public static Optional<Life> named(String containerName) {
    Matcher matcher = NAME.matcher(containerName);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String spare = matcher.group("spare");
    return Optional.of(
        spare != null
            ? spare(spare)
            : new Life(matcher.group("sandbox"), Integer.parseInt(matcher.group("incarnation"))));
  }

  @Override
  public String toString() {
    return sandboxId + "/" + incarnation;
  }
}
