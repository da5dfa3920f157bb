package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.executor.execution.GuestAnswer;
import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.execution.OutputSink;
import io.sandglass.executor.execution.OutputStreamName;
import io.sandglass.executor.execution.Totals;
import io.sandglass.executor.sandbox.Detached;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * What a detached execution has written, as the body of an answer: up to its end, or up to where it
 * is now.
 */
final class OutputAnswer implements StreamingOutput {
  private final GuestChannel.RunningCommand command;
  private final Query query;
  private final ObjectMapper json;

  /**
   * @param stdout the offset of the first byte
   * @param follow whether to wait for its end
   */
  record Query(String executionId, long stdout, long stderr, boolean follow) {}

  OutputAnswer(GuestChannel.RunningCommand command, Query query, ObjectMapper json) {
    this.command = command;
    this.query = query;
    this.json = json;
  }

  record PauseFrame(
      @JsonProperty("stdout_bytes") long stdoutBytes,
      @JsonProperty("stderr_bytes") long stderrBytes) {}

  /** All that there was to be told has been. */
  private static final class EnoughException extends IOException {
    private static final long serialVersionUID = 1L;
  }

  private final class Copy implements OutputSink {
    private final FrameStream frames;
    private Totals totals = Totals.NONE;
    private boolean known;
    private long stdout = query.stdout();
    private long stderr = query.stderr();

    Copy(FrameStream frames) {
      this.frames = frames;
    }

    @Override
    public void totals(Totals now) throws IOException {
      if (!known) {
        known = true;
        frames.write(FrameStream.Type.STARTED, new byte[0], 0, 0);
      }
      totals = now;
      endIfEnough();
    }

    @Override
    public void accept(OutputStreamName stream, byte[] bytes, int offset, int length)
        throws IOException {
      switch (stream) {
        case STDOUT -> {
          stdout += length;
          frames.write(FrameStream.Type.STDOUT, bytes, offset, length);
        }
        case STDERR -> {
          stderr += length;
          frames.write(FrameStream.Type.STDERR, bytes, offset, length);
        }
      }
      endIfEnough();
    }

    private void endIfEnough() throws EnoughException {
      if (!query.follow()
          && !totals.ended()
          && stdout >= totals.stdoutKept()
          && stderr >= totals.stderrKept()) {
        throw new EnoughException();
      }
    }
  }

  @Override
  public void write(OutputStream body) throws IOException {
    FrameStream frames = new FrameStream(body);
    CountDownLatch ended = new CountDownLatch(1);
    Copy copy = new Copy(frames);
    long begun = System.nanoTime();
    Thread.ofVirtual().name("beat").start(() -> watch(frames, ended));
    try {
      GuestAnswer answer = command.run(copy);
      ended.countDown();
      if (answer instanceof GuestAnswer.Refused(String code, String detail)) {
        FrameAnswer.writeFailure(frames, code, detail, json);
      } else {
        Duration took = Duration.ofNanos(System.nanoTime() - begun);
        FrameAnswer.writeEnd(
            frames, Detached.endOf(query.executionId(), answer, copy.totals, took), json);
      }
    } catch (EnoughException e) {
      ended.countDown();
      byte[] pause =
          json.writeValueAsBytes(
              new PauseFrame(copy.totals.stdoutBytes(), copy.totals.stderrBytes()));
      frames.write(FrameStream.Type.PAUSE, pause, 0, pause.length);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      ended.countDown();
    }
  }

  private void watch(FrameStream frames, CountDownLatch ended) {
    try {
      while (!ended.await(FrameAnswer.BEAT.toMillis(), TimeUnit.MILLISECONDS)) {
        frames.beat();
      }
    } catch (IOException e) {
      command.leave();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
