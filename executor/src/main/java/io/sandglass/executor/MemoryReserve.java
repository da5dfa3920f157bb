package io.sandglass.executor;

import io.sandglass.executor.sandbox.Capacity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The part of a node's memory that is to be free for sandboxes that start or wake: of what may be
 * given to them, and of what the machine really has.
 */
final class MemoryReserve implements LongSupplier {
  private static final Pattern KIB = Pattern.compile("(\\w+): +([0-9]+) kB");

  private final Capacity capacity;
  private final Supplier<Capacity> used;
  private final int percent;
  private final Path meminfo;

  /**
   * @param percent to be kept free
   * @param meminfo as {@code /proc/meminfo}
   */
  MemoryReserve(Capacity capacity, Supplier<Capacity> used, int percent, Path meminfo) {
    this.capacity = capacity;
    this.used = used;
    this.percent = percent;
    this.meminfo = meminfo;
  }

  /** How many bytes too few are free; not positive when there are enough. */
  @Override
  public long getAsLong() {
    long given = capacity.memoryBytes() - used.get().memoryBytes();
    long here = bytes("MemTotal");
    return Math.max(share(capacity.memoryBytes()) - given, share(here) - bytes("MemAvailable"));
  }

  private long share(long bytes) {
    return bytes / 100 * percent;
  }

  private long bytes(String name) {
    try (Stream<String> lines = Files.lines(meminfo)) {
      return lines
          .map(KIB::matcher)
          .filter(line -> line.matches() && line.group(1).equals(name))
          .map(Matcher::toMatchResult)
          .mapToLong(line -> Long.parseLong(line.group(2)) << 10)
          .findFirst()
          .orElseThrow(() -> new IllegalStateException(meminfo + " tells no " + name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
