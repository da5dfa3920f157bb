package io.sandglass.executor.guest;

import io.sandglass.executor.files.FileEntry;
import io.sandglass.executor.files.FileException;
import io.sandglass.executor.files.FileFailure;
import io.sandglass.executor.files.GuestFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Files as the guest at an endpoint serves them. */
record SocketFiles(GuestEndpoint endpoint, GuestPatience patience) implements GuestFiles {

  @Override
  public Upload upload(String path, long most) throws FileException, InterruptedException {
    FileConversation conversation =
        FileConversation.begin(
            endpoint, patience, FileFrames.transfer(FileFrames.UPLOAD, path, most));
    try {
      conversation.expect(FileFrames.READY);
      Frames.end(conversation.payload());
      return new SocketUpload(conversation, most);
    } catch (GuestProtocolException e) {
      conversation.close();
      throw FileConversation.nonsense(e);
    } catch (FileException e) {
      conversation.close();
      throw e;
    }
  }

  @Override
  public Download download(String path, long most) throws FileException, InterruptedException {
    FileConversation conversation =
        FileConversation.begin(
            endpoint, patience, FileFrames.transfer(FileFrames.DOWNLOAD, path, most));
    try {
      conversation.expect(FileFrames.READY);
      long size = FileFrames.count(conversation.payload());
      Frames.end(conversation.payload());
      if (size > most) {
        throw new GuestProtocolException("a file larger than asked for");
      }
      return new SocketDownload(conversation, size);
    } catch (GuestProtocolException e) {
      conversation.close();
      throw FileConversation.nonsense(e);
    } catch (FileException e) {
      conversation.close();
      throw e;
    }
  }

  @Override
  public Listing list(String path, byte[] after, int most)
      throws FileException, InterruptedException {
    try (FileConversation conversation =
        FileConversation.begin(endpoint, patience, FileFrames.list(path, after, most))) {
      List<FileEntry> entries = new ArrayList<>();
      byte[] before = after;
      byte type = conversation.receive();
      while (type == FileFrames.ENTRY) {
        FileEntry entry = FileFrames.entry(conversation.payload());
        if (entries.size() == most || Arrays.compareUnsigned(before, entry.nameBytes()) >= 0) {
          throw new GuestProtocolException("too many entries, or not in order");
        }
        before = entry.nameBytes();
        entries.add(entry);
        type = conversation.receive();
      }
      if (type != FileFrames.END) {
        throw FileConversation.unexpected(type);
      }
      ByteBuffer end = conversation.payload();
      if (FileFrames.count(end) != entries.size() || end.remaining() != 1) {
        throw new GuestProtocolException("an END that does not fit the entries");
      }
      return new Listing(entries, end.get() != 0);
    } catch (GuestProtocolException e) {
      throw FileConversation.nonsense(e);
    }
  }

  /** Counts for itself what the guest then has to confirm. */
  private static final class SocketUpload implements Upload {
    private final FileConversation conversation;
    private final long most;
    private long total;

    SocketUpload(FileConversation conversation, long most) {
      this.conversation = conversation;
      this.most = most;
    }

    @Override
    public long transferFrom(InputStream content) throws IOException {
      byte[] bytes = new byte[Frames.HEADER + Frames.MAX_PAYLOAD];
      ByteBuffer frame = ByteBuffer.wrap(bytes);
      while (true) {
        int read = content.read(bytes, Frames.HEADER, Frames.MAX_PAYLOAD);
        if (read < 0) {
          return total;
        }
        if (read > most - total) {
          throw new FileException(FileFailure.TOO_LARGE, "more than " + most + " bytes");
        }
        if (read > 0) {
          total += read;
          frame.clear().put(FileFrames.DATA).putInt(read);
          conversation.send(frame.position(0).limit(Frames.HEADER + read));
        }
      }
    }

    @Override
    public void complete() throws FileException {
      conversation.send(FileFrames.end(total));
      conversation.expect(FileFrames.END);
      try {
        long stored = FileFrames.count(conversation.payload());
        Frames.end(conversation.payload());
        if (stored != total) {
          throw new GuestProtocolException("an END of " + stored + " bytes, not " + total);
        }
      } catch (GuestProtocolException e) {
        throw FileConversation.nonsense(e);
      }
    }

    @Override
    public void close() {
      conversation.close();
    }
  }

  private record SocketDownload(FileConversation conversation, long size) implements Download {

    @Override
    public void transferTo(OutputStream sink) throws IOException {
      ByteBuffer payload = conversation.payload();
      long left = size;
      byte type = conversation.receive();
      while (type == FileFrames.DATA) {
        if (!payload.hasRemaining() || payload.remaining() > left) {
          throw FileConversation.nonsense(
              new GuestProtocolException("a DATA of " + payload.remaining() + " bytes"));
        }
        left -= payload.remaining();
        sink.write(payload.array(), payload.arrayOffset(), payload.remaining());
        type = conversation.receive();
      }
      if (type != FileFrames.END) {
        throw FileConversation.unexpected(type);
      }
      try {
        long sent = FileFrames.count(payload);
        Frames.end(payload);
        if (sent != size || left != 0) {
          throw new GuestProtocolException("an END of " + sent + " bytes, not " + size);
        }
      } catch (GuestProtocolException e) {
        throw FileConversation.nonsense(e);
      }
    }

    @Override
    public void close() {
      conversation.close();
    }
  }
}
