package io.sandglass.executor.runtime;

/**
 * What files take on disk.
 *
 * @param bytes in blocks: holes cost nothing
 * @param files directories and links too; 0 where they can't be counted
 */
public record DiskUse(long bytes, long files) {
  public static final DiskUse NOTHING = new DiskUse(0, 0);

  public DiskUse plus(DiskUse other) {
    return new DiskUse(bytes + other.bytes, files + other.files);
  }

  /** Where there is less than there was, nothing. */
  public DiskUse since(DiskUse before) {
    return new DiskUse(Math.max(0, bytes - before.bytes), Math.max(0, files - before.files));
  }
}
