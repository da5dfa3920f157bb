package io.sandglass.executor.dataplane;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.OutputSink;
import io.sandglass.executor.execution.OutputStreamName;
import io.sandglass.executor.sandbox.Executions.Execution;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An execution as the body of an answer: its output as it comes, and one last frame that says how
 * it ended. A body without that frame is a broken execution.
 */
final class FrameAnswer implements StreamingOutput {
  private static final Logger LOG = LoggerFactory.getLogger(FrameAnswer.class);
  static final Duration BEAT = Duration.ofMillis(500);

  private final Execution execution;
  private final ObjectMapper json;

  FrameAnswer(Execution execution, ObjectMapper json) {
    this.execution = execution;
    this.json = json;
  }

  record ExitFrame(
      @JsonProperty("exit_code") int exitCode,
      @JsonProperty("duration_ms") long durationMillis,
      @JsonProperty("timed_out") boolean timedOut,
      @JsonProperty("truncated") boolean truncated,
      @JsonProperty("stdout_bytes") long stdoutBytes,
      @JsonProperty("stderr_bytes") long stderrBytes) {}

  record FailureFrame(String code, String detail) {}

  @Override
  public void write(OutputStream body) throws IOException {
    FrameStream frames = new FrameStream(body);
    CountDownLatch ended = new CountDownLatch(1);
    OutputSink sink =
        new OutputSink() {
          @Override
          public void started() throws IOException {
            frames.write(FrameStream.Type.STARTED, new byte[0], 0, 0);
          }

          @Override
          public void accept(OutputStreamName stream, byte[] bytes, int offset, int length)
              throws IOException {
            frames.write(type(stream), bytes, offset, length);
          }
        };
    Thread.ofVirtual().name("beat").start(() -> watch(frames, ended));
    try {
      ExecutionEnd end = execution.run(sink);
      LOG.info(
          "execution={} exit_code={} timed_out={} truncated={} stdout_bytes={} stderr_bytes={}"
              + " duration_ms={} failure={}",
          end.executionId(),
          end.exitCode(),
          end.timedOut(),
          end.truncated(),
          end.stdoutBytes(),
          end.stderrBytes(),
          end.took().toMillis(),
          end.failure().orElse("-"));
      ended.countDown();
      writeEnd(frames, end, json);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      ended.countDown();
    }
  }

  private static FrameStream.Type type(OutputStreamName stream) {
    return switch (stream) {
      case STDOUT -> FrameStream.Type.STDOUT;
      case STDERR -> FrameStream.Type.STDERR;
    };
  }

  static void writeEnd(FrameStream frames, ExecutionEnd end, ObjectMapper json) throws IOException {
    if (end.exitCode().isPresent()) {
      byte[] exit =
          json.writeValueAsBytes(
              new ExitFrame(
                  end.exitCode().getAsInt(),
                  end.took().toMillis(),
                  end.timedOut(),
                  end.truncated(),
                  end.stdoutBytes(),
                  end.stderrBytes()));
      frames.write(FrameStream.Type.EXIT, exit, 0, exit.length);
    } else {
      String[] parts = end.failure().orElse("broken: no reason given").split(": ", 2);
      writeFailure(frames, parts[0], parts[parts.length - 1], json);
    }
  }

  static void writeFailure(FrameStream frames, String code, String detail, ObjectMapper json)
      throws IOException {
    byte[] failure = json.writeValueAsBytes(new FailureFrame(code, detail));
    frames.write(FrameStream.Type.FAILURE, failure, 0, failure.length);
  }

  /** Until the execution has ended, sees whether somebody still listens. */
  private void watch(FrameStream frames, CountDownLatch ended) {
    try {
      while (!ended.await(BEAT.toMillis(), TimeUnit.MILLISECONDS)) {
        frames.beat();
      }
    } catch (IOException e) {
      execution.abort();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
