package io.sandglass.executor.sandbox;

import io.sandglass.executor.execution.ExecutionEnd;
import io.sandglass.executor.execution.GuestChannel;
import io.sandglass.executor.files.FileException;
import io.sandglass.executor.files.FileFailure;
import io.sandglass.executor.files.GuestFiles;
import io.sandglass.executor.runtime.Life;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves files into and out of the sandboxes of this node. An upload or a download is an execution
 * to the log: let in, counted and told about by {@link Executions}. A listing is let in and counted
 * alike, and not told about.
 */
public final class Transfers {
  private static final Logger LOG = LoggerFactory.getLogger(Transfers.class);

  private final Executions executions;
  private final Semaphore places;

  /**
   * @param atOnce transfers and listings in all sandboxes together
   */
  public Transfers(Executions executions, int atOnce) {
    this.executions = executions;
    this.places = new Semaphore(atOnce);
  }

  /** A file that is to be moved. */
  public record Request(
      Life life, String executionId, String path, long most, Optional<String> requestId) {}

  /** The sandbox is not there to be asked. */
  public static final class DeniedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Executions.Admission.Denied denied;

    DeniedException(Executions.Admission.Denied denied) {
      super(denied.detail(), null, false, false);
      this.denied = denied;
    }

    public Executions.Admission.Denied denied() {
      return denied;
    }
  }

  /**
   * Writes a file. When this returns, all of it is there; when it throws, nothing is.
   *
   * @throws FileException why the sandbox does not take it
   * @throws IOException of {@code content}
   */
  public void upload(Request request, InputStream content)
      throws DeniedException, IOException, InterruptedException {
    Transfer transfer = begin(request);
    try (GuestFiles.Upload upload = transfer.files().upload(request.path(), request.most())) {
      transfer.moved = upload.transferFrom(content);
      upload.complete();
      transfer.end(Optional.empty());
    } catch (IOException e) {
      throw transfer.failed(e);
    } finally {
      transfer.end(Optional.of("interrupted"));
    }
  }

  /** A file that is open; {@link #copyTo} has to follow. */
  public interface Opened {
    long size();

    /**
     * Passes it on to its end.
     *
     * @throws IOException when less than {@link #size} bytes were passed on
     */
    void copyTo(OutputStream sink) throws IOException;
  }

  /**
   * Opens a file.
   *
   * @throws FileException why the sandbox does not give it
   */
  public Opened open(Request request) throws DeniedException, FileException, InterruptedException {
    Transfer transfer = begin(request);
    boolean open = false;
    try {
      GuestFiles.Download download = transfer.files().download(request.path(), request.most());
      open = true;
      return new OpenFile(transfer, download);
    } catch (FileException e) {
      transfer.failed(e);
      throw e;
    } finally {
      if (!open) {
        transfer.end(Optional.of("interrupted"));
      }
    }
  }

  /** A page of a directory, as {@link GuestFiles#list}. */
  public GuestFiles.Listing list(Life life, String path, byte[] after, int most)
      throws DeniedException, FileException, InterruptedException {
    takePlace();
    try {
      return switch (executions.visit(life)) {
        case Executions.Visit.Refused(Executions.Admission.Denied denied) ->
            throw new DeniedException(denied);
        case Executions.Visit.Inside inside -> {
          try (inside) {
            yield files(inside.resident().channel()).list(path, after, most);
          }
        }
      };
    } finally {
      places.release();
    }
  }

  private Transfer begin(Request request) throws DeniedException {
    takePlace();
    return switch (executions.enter(request.life(), request.executionId(), request.requestId())) {
      case Executions.Entry.Refused(Executions.Admission.Denied denied) -> {
        places.release();
        throw new DeniedException(denied);
      }
      case Executions.Entry.Entered entered -> new Transfer(request, entered);
    };
  }

  private void takePlace() throws DeniedException {
    if (!places.tryAcquire()) {
      throw new DeniedException(
          new Executions.Admission.Denied(
              Executions.Admission.Reason.TOO_MANY, "the node moves as many files as it can"));
    }
  }

  private static GuestFiles files(Optional<GuestChannel> channel) throws FileException {
    return channel
        .map(GuestChannel::files)
        .orElseThrow(
            () ->
                new FileException(
                    FileFailure.GUEST_UNREACHABLE, "the sandbox has just been stopped"));
  }

  /** One transfer; ends once. */
  private final class Transfer {
    private final Request request;
    private final Executions.Entry.Entered entry;
    private final long begun = System.nanoTime();
    private long moved;
    private boolean ended;

    Transfer(Request request, Executions.Entry.Entered entry) {
      this.request = request;
      this.entry = entry;
    }

    GuestFiles files() throws FileException {
      return Transfers.files(entry.channel());
    }

    IOException failed(IOException e) {
      end(
          Optional.of(
              e instanceof FileException file
                  ? file.failure().code() + ": " + file.getMessage()
                  : "aborted: the caller went away"));
      if (e instanceof FileException file && file.failure() == FileFailure.BROKEN) {
        entry.awaitFate();
      }
      return e;
    }

    /** Does nothing when it has ended before. */
    void end(Optional<String> failure) {
      if (ended) {
        return;
      }
      ended = true;
      places.release();
      Duration took = Duration.ofNanos(System.nanoTime() - begun);
      LOG.info(
          "execution={} sandbox={} incarnation={} file_bytes={} duration_ms={} failure={}"
              + " request_id={}",
          request.executionId(),
          request.life().sandboxId(),
          request.life().incarnation(),
          moved,
          took.toMillis(),
          failure.orElse("-"),
          request.requestId().orElse("-"));
      entry.end(ExecutionEnd.ofTransfer(request.executionId(), moved, took, failure));
    }
  }

  private record OpenFile(Transfer transfer, GuestFiles.Download download) implements Opened {

    @Override
    public long size() {
      return download.size();
    }

    @Override
    public void copyTo(OutputStream sink) throws IOException {
      try (download) {
        download.transferTo(sink);
        transfer.moved = download.size();
        transfer.end(Optional.empty());
      } catch (IOException e) {
        throw transfer.failed(e);
      } finally {
        transfer.end(Optional.of("interrupted"));
      }
    }
  }
}
