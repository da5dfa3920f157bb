package io.sandglass.executor.guest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;

/** Keeps everything. */
class CollectingSink implements OutputSink {

  final ByteArrayOutputStream out = new ByteArrayOutputStream();
  final ByteArrayOutputStream err = new ByteArrayOutputStream();
  final CountDownLatch started = new CountDownLatch(1);

  @Override
  public void started() {
    started.countDown();
  }

  @Override
  public void stdout(byte[] bytes, int offset, int length) throws IOException {
    out.write(bytes, offset, length);
  }

  @Override
  public void stderr(byte[] bytes, int offset, int length) throws IOException {
    err.write(bytes, offset, length);
  }

  String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  String err() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
