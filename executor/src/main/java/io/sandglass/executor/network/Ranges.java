package io.sandglass.executor.network;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** A set of numbers as the fewest ranges, in order: two sets are equal when they hold the same. */
public record Ranges(List<Range> list) {
  public static final Ranges NONE = new Ranges(List.of());

  /** Joins what overlaps and what touches. */
  public Ranges {
    List<Range> joined = new ArrayList<>();
    for (Range range : list.stream().sorted().toList()) {
      if (!joined.isEmpty() && range.first() <= joined.getLast().last() + 1) {
        Range before = joined.removeLast();
        joined.add(new Range(before.first(), Math.max(before.last(), range.last())));
      } else {
        joined.add(range);
      }
    }
    list = List.copyOf(joined);
  }

  /**
   * @throws IllegalArgumentException when one is no network
   */
  public static Ranges networks(Collection<String> cidrs) {
    return new Ranges(cidrs.stream().map(Range::network).toList());
  }

  public static Ranges ports(Collection<Integer> ports) {
    return new Ranges(ports.stream().map(Range::of).toList());
  }

  public Ranges plus(Ranges others) {
    List<Range> both = new ArrayList<>(list);
    both.addAll(others.list);
    return new Ranges(both);
  }

  public Ranges minus(Ranges others) {
    List<Range> left = list;
    for (Range hole : others.list) {
      left = left.stream().flatMap(range -> without(range, hole).stream()).toList();
    }
    return new Ranges(left);
  }

  private static List<Range> without(Range range, Range hole) {
    List<Range> left = new ArrayList<>();
    if (range.first() < hole.first()) {
      left.add(new Range(range.first(), Math.min(range.last(), hole.first() - 1)));
    }
    if (range.last() > hole.last()) {
      left.add(new Range(Math.max(range.first(), hole.last() + 1), range.last()));
    }
    return left;
  }

  public boolean contains(long number) {
    return list.stream().anyMatch(range -> range.contains(number));
  }

  public boolean isEmpty() {
    return list.isEmpty();
  }
}
