package io.sandglass.executor.execution;

import io.sandglass.executor.files.GuestFiles;
import io.sandglass.executor.guest.GuestCommand;
import io.sandglass.executor.guest.GuestEndpoint;
import io.sandglass.executor.guest.GuestExecution;
import io.sandglass.executor.guest.GuestPatience;
import io.sandglass.executor.guest.GuestResult;
import io.sandglass.executor.guest.GuestToken;
import io.sandglass.executor.guest.GuestTotals;
import io.sandglass.executor.runtime.GuestBinary;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Channels to real guests, on Unix sockets. */
public final class EndpointChannels implements GuestChannels {
  private static final Logger LOG = LoggerFactory.getLogger(EndpointChannels.class);
  private static final int KEY_BYTES = 32;

  private final GuestBinary binary;
  private final byte[] nodeKey;
  private final GuestPatience patience;

  private EndpointChannels(GuestBinary binary, byte[] nodeKey, GuestPatience patience) {
    this.binary = binary;
    this.nodeKey = nodeKey;
    this.patience = patience;
  }

  /**
   * @param data where the executable and the node's key are kept
   * @param overtime how long past a command's timeout the guest may take to answer
   */
  public static EndpointChannels in(Path data, Duration overtime) throws IOException {
    Files.createDirectories(data);
    GuestPatience usual = GuestPatience.DEFAULT;
    return new EndpointChannels(
        GuestBinary.extract(data.resolve("guest")),
        nodeKey(data.resolve("node.key")),
        new GuestPatience(
            usual.hello(),
            usual.penalty(),
            usual.connection(),
            overtime,
            usual.abort(),
            usual.stall(),
            usual.transfer()));
  }

  private static byte[] nodeKey(Path file) throws IOException {
    if (!Files.exists(file)) {
      byte[] key = new byte[KEY_BYTES];
      new SecureRandom().nextBytes(key);
      Path fresh =
          Files.createTempFile(
              file.getParent(),
              "node.key",
              ".new",
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.write(fresh, key);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return Files.readAllBytes(file);
  }

  @Override
  public void install(Path directory) throws IOException {
    binary.linkInto(directory);
  }

  @Override
  public String token(Life life) {
    return tokenOf(life).reveal();
  }

  private GuestToken tokenOf(Life life) {
    return GuestToken.derive(nodeKey, life.sandboxId(), life.incarnation());
  }

  @Override
  public GuestChannel open(Path directory, Life life) throws IOException {
    return new EndpointChannel(GuestEndpoint.open(directory, tokenOf(life), patience));
  }

  private record EndpointChannel(GuestEndpoint endpoint) implements GuestChannel {
    @Override
    public boolean awaitReady(Duration patience) throws InterruptedException {
      return endpoint.awaitReady(patience);
    }

    @Override
    public boolean answers(Duration patience) throws InterruptedException {
      return endpoint.answers(patience);
    }

    @Override
    public RunningCommand prepare(CommandRequest request) {
      return running(
          endpoint.prepare(
              new GuestCommand(
                  request.executionId(),
                  request.command(),
                  request.workdir(),
                  request.timeout(),
                  request.env(),
                  request.stdin(),
                  request.detached())));
    }

    @Override
    public RunningCommand attach(String executionId, long stdout, long stderr, Duration limit) {
      return running(endpoint.attach(executionId, stdout, stderr, limit));
    }

    @Override
    public void forget(String executionId) throws InterruptedException {
      try {
        endpoint.forget(executionId);
      } catch (IOException e) {
        LOG.debug("execution={} is not forgotten: {}", executionId, e.toString());
      }
    }

    @Override
    public GuestFiles files() {
      return endpoint.files();
    }

    private static RunningCommand running(GuestExecution execution) {
      return new RunningCommand() {
        @Override
        public GuestAnswer run(OutputSink sink) throws IOException, InterruptedException {
          return answer(execution.stream(guestSink(sink)));
        }

        @Override
        public void abort() {
          execution.abort();
        }

        @Override
        public void leave() {
          execution.leave();
        }
      };
    }

    private static io.sandglass.executor.guest.OutputSink guestSink(OutputSink sink) {
      return new io.sandglass.executor.guest.OutputSink() {
        @Override
        public void started() throws IOException {
          sink.started();
        }

        @Override
        public void totals(GuestTotals totals) throws IOException {
          sink.totals(
              new Totals(
                  totals.stdoutBytes(),
                  totals.stdoutKept(),
                  totals.stderrBytes(),
                  totals.stderrKept(),
                  totals.ended()));
        }

        @Override
        public void stdout(byte[] bytes, int offset, int length) throws IOException {
          sink.accept(OutputStreamName.STDOUT, bytes, offset, length);
        }

        @Override
        public void stderr(byte[] bytes, int offset, int length) throws IOException {
          sink.accept(OutputStreamName.STDERR, bytes, offset, length);
        }
      };
    }

    private static GuestAnswer answer(GuestResult result) {
      return switch (result) {
        case GuestResult.Exited exited when exited.killed() ->
            new GuestAnswer.Aborted(OptionalInt.of(exited.exitCode()));
        case GuestResult.Exited exited ->
            new GuestAnswer.Exited(exited.exitCode(), exited.timedOut(), exited.duration());
        case GuestResult.Failed failed ->
            new GuestAnswer.Refused(failed.failure().code(), failed.detail());
        case GuestResult.Broken broken -> new GuestAnswer.Broken(broken.reason());
      };
    }

    @Override
    public void close() {
      try {
        endpoint.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
