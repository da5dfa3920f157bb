package io.sandglass.executor.guest;

import java.io.IOException;

/** The other side of a connection does not speak the protocol. */
final class GuestProtocolException extends IOException {

  GuestProtocolException(String message) {
    super(message);
  }
}
