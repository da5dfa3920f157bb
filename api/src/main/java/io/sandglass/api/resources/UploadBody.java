package io.sandglass.api.resources;

import io.sandglass.api.control.Files;
import io.sandglass.api.http.ProblemException;
import io.sandglass.api.http.ProblemType;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;

/** The content of an upload, with its digest where one is needed. */
final class UploadBody extends FilterInputStream {
  private static final int CHUNK = 64 * 1024;

  /** A client that sends more, or more slowly, than this may miss the answer to a bad request. */
  private static final long MOST_DRAINED = 2 * Files.LARGEST_UPLOAD;

  private static final Duration LONGEST_DRAINED = Duration.ofSeconds(10);

  private final MessageDigest digest;
  private final boolean waiting;
  private long seen;

  /**
   * @param digested whether the digest will be asked for
   * @param waiting whether the client sends nothing before it is told to go on
   */
  UploadBody(InputStream in, boolean digested, boolean waiting) {
    super(in);
    this.digest = digested ? sha256() : null;
    this.waiting = waiting;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    int read = in.read(to, offset, length);
    if (read > 0) {
      seen += read;
      if (digest != null) {
        digest.update(to, offset, read);
      }
    }
    return read;
  }

  /** The digest of all that was read, as RFC 9530 writes it. */
  String digest() {
    return "sha-256=:" + Base64.getEncoder().encodeToString(digest.digest()) + ":";
  }

  /** Reads all of it. */
  void readAll() {
    byte[] scratch = new byte[CHUNK];
    try {
      while (read(scratch, 0, CHUNK) >= 0) {
        if (seen > Files.LARGEST_UPLOAD) {
          throw new ProblemException(
              ProblemType.FILE_TOO_LARGE, ProblemType.FILE_TOO_LARGE.description());
        }
      }
    } catch (IOException e) {
      throw new ProblemException(
          ProblemType.MALFORMED_REQUEST, "The body ended before its announced length.");
    }
  }

  /** Reads the rest away, so that its sender hears the answer. */
  void drain() {
    if (waiting && seen == 0) {
      return;
    }
    long until = System.nanoTime() + LONGEST_DRAINED.toNanos();
    byte[] scratch = new byte[CHUNK];
    try {
      while (seen <= MOST_DRAINED && System.nanoTime() < until && read(scratch, 0, CHUNK) >= 0) {
        // nobody wants it
      }
    } catch (IOException e) {
      // Then it is too late for an answer.
    }
  }
}
