package io.sandglass.api.dataplane;

import java.time.Instant;
import java.util.List;

/**
 * A page of a directory, in the byte order of the names.
 *
 * @param after what the next page begins after; null when this is the last
 */
public record FileListing(List<Entry> entries, String after) {

  /**
   * @param name bytes that are no UTF-8 are replaced
   * @param type such as {@code file}, {@code directory} or {@code symlink}
   */
  public record Entry(String name, String type, long size, int mode, Instant modifiedAt) {}
}
