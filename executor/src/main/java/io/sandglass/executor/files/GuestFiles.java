package io.sandglass.executor.files;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/**
 * The files of one sandbox. Paths are absolute. Every method fails with a {@link FileException}
 * when the sandbox's side fails; whatever is open ends when the sandbox's channel is closed.
 */
public interface GuestFiles {

  /** Asks for a place; nothing is there before {@link Upload#complete}. */
  Upload upload(String path, long most) throws FileException, InterruptedException;

  /** Opens a regular file. */
  Download download(String path, long most) throws FileException, InterruptedException;

  /**
   * The names of a directory in byte order.
   *
   * @param after the name before the first that is wanted; empty for the beginning
   */
  Listing list(String path, byte[] after, int most) throws FileException, InterruptedException;

  /** A file on its way in. */
  interface Upload extends AutoCloseable {

    /**
     * Passes all of it on, at the pace of the slower side.
     *
     * @return how many bytes there were
     * @throws IOException of {@code content}; a {@link FileException} of the sandbox
     */
    long transferFrom(InputStream content) throws IOException;

    /** Puts the file into its place: after this it is there, wholly. */
    void complete() throws FileException;

    /** Unless it is complete, leaves nothing. */
    @Override
    void close();
  }

  /** A file on its way out. */
  interface Download extends AutoCloseable {

    /** How many bytes will come, or it fails. */
    long size();

    /**
     * Passes all of it on, at the pace of the slower side.
     *
     * @throws IOException of {@code sink}; a {@link FileException} of the sandbox
     */
    void transferTo(OutputStream sink) throws IOException;

    @Override
    void close();
  }

  /**
   * A page of a directory.
   *
   * @param more whether there are names after the last of these
   */
  record Listing(List<FileEntry> entries, boolean more) {}
}
