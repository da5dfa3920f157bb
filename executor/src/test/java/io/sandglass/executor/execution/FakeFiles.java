package io.sandglass.executor.execution;

import io.sandglass.executor.files.FileException;
import io.sandglass.executor.files.FileFailure;
import io.sandglass.executor.files.GuestFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

/** Files in a map. The one named {@code /broken} breaks off in its middle. */
record FakeFiles(Map<String, byte[]> files) implements GuestFiles {
  static final String BROKEN = "/broken";

  @Override
  public Upload upload(String path, long most) throws FileException {
    if (path.endsWith("/")) {
      throw new FileException(FileFailure.IS_DIRECTORY, "Is a directory");
    }
    ByteArrayOutputStream taken = new ByteArrayOutputStream();
    return new Upload() {
      @Override
      public long transferFrom(InputStream content) throws IOException {
        byte[] chunk = new byte[1024];
        for (int read = content.read(chunk); read >= 0; read = content.read(chunk)) {
          taken.write(chunk, 0, read);
          if (taken.size() > most) {
            throw new FileException(FileFailure.TOO_LARGE, "more than " + most + " bytes");
          }
        }
        return taken.size();
      }

      @Override
      public void complete() throws FileException {
        if (path.equals(BROKEN)) {
          throw new FileException(FileFailure.BROKEN, "gone");
        }
        files.put(path, taken.toByteArray());
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public Download download(String path, long most) throws FileException {
    byte[] content = files.get(path);
    if (content == null) {
      throw new FileException(FileFailure.NOT_FOUND, "No such file or directory");
    }
    return new Download() {
      @Override
      public long size() {
        return content.length;
      }

      @Override
      public void transferTo(OutputStream sink) throws IOException {
        if (path.equals(BROKEN)) {
          sink.write(content, 0, content.length / 2);
          throw new FileException(FileFailure.BROKEN, "gone");
        }
        sink.write(content);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public Listing list(String path, byte[] after, int most) {
    return new Listing(List.of(), false);
  }
}
