package io.sandglass.api.domain;

/**
 * How much an organization may have at once, and how quickly it may ask for more.
 *
 * @param liveSandboxes those that have not ended: suspended ones too
 */
public record Quota(long liveSandboxes, long cpuMillis, long memoryMb, int createsPerSecond) {

  /** What of a quota was said; null is the installation's default. */
  public record Wish(Long liveSandboxes, Long cpuMillis, Long memoryMb, Integer createsPerSecond) {
    /** Nothing was. */
    public static final Wish NONE = new Wish(null, null, null, null);

    public Quota over(Quota defaults) {
      return new Quota(
          liveSandboxes == null ? defaults.liveSandboxes() : liveSandboxes,
          cpuMillis == null ? defaults.cpuMillis() : cpuMillis,
          memoryMb == null ? defaults.memoryMb() : memoryMb,
          createsPerSecond == null ? defaults.createsPerSecond() : createsPerSecond);
    }
  }

  /** How much an organization has. */
  public record Use(long liveSandboxes, long cpuMillis, long memoryBytes) {
    public Use with(Size size) {
      return new Use(
          liveSandboxes + 1, cpuMillis + size.cpuMillis(), memoryBytes + size.memoryBytes());
    }
  }
}
