package io.sandglass.standalone;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How long the same took again and again.
 *
 * @param millis ascending
 */
record Times(List<Double> millis) {
  private static final PrintStream OUT = System.out;

  /** One timed step. */
  interface Step {
    void run() throws Exception;
  }

  static Times of(int runs, Step step) throws Exception {
    return of(runs, () -> {}, step);
  }

  /** Before each there is something to do that is not timed. */
  static Times of(int runs, Step before, Step step) throws Exception {
    double[] millis = new double[runs];
    for (int run = 0; run < runs; run++) {
      before.run();
      millis[run] = once(step);
    }
    return of(millis);
  }

  static Times of(double[] millis) {
    return new Times(Arrays.stream(millis).sorted().boxed().toList());
  }

  /** In milliseconds. */
  static double once(Step step) throws Exception {
    long begun = System.nanoTime();
    step.run();
    return (System.nanoTime() - begun) / 1e6;
  }

  double quantile(double q) {
    return millis.get((int) Math.min(millis.size() - 1, Math.floor(q * millis.size())));
  }

  double median() {
    return quantile(0.5);
  }

  static void heading() {
    OUT.printf("%-46s %9s %9s %9s %7s%n", "", "p50 ms", "p99 ms", "floor ms", "ratio");
  }

  void report(String what) {
    OUT.printf(Locale.ROOT, "%-46s %9.1f %9.1f%n", what, median(), quantile(0.99));
  }

  void report(String what, Times floor) {
    report(what, floor, 0.5);
  }

  /**
   * @param q the quantile that is compared
   */
  void report(String what, Times floor, double q) {
    OUT.printf(
        Locale.ROOT,
        "%-46s %9.1f %9.1f %9.1f %7.2f%n",
        what,
        median(),
        quantile(0.99),
        floor.quantile(q),
        quantile(q) / floor.quantile(q));
  }
}
