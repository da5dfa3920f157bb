package io.sandglass.executor.guest;

import java.time.Duration;

/**
 * How long the host waits for a guest.
 *
 * @param hello for the first frame of a new connection
 * @param penalty a refused connection keeps its place for this long, which bounds the rate of a
 *     flood
 * @param connection for an idle connection when there is a command to run
 * @param overtime for the answer, past the command's own timeout
 * @param stall for the next step of a transfer
 * @param transfer for a whole transfer
 * @param abort for the answer to {@link GuestExecution#abort()}
 */
public record GuestPatience(
    Duration hello,
    Duration penalty,
    Duration connection,
    Duration overtime,
    Duration abort,
    Duration stall,
    Duration transfer) {

  public static final GuestPatience DEFAULT =
      new GuestPatience(
          Duration.ofSeconds(2),
          Duration.ofMillis(100),
          Duration.ofSeconds(3),
          Duration.ofSeconds(5),
          Duration.ofSeconds(2),
          Duration.ofSeconds(30),
          Duration.ofMinutes(15));
}
