package io.sandglass.executor.guest;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a sandbox's first process proves itself with. Derived rather than drawn, so that an executor
 * that has restarted still knows the tokens of the sandboxes it finds.
 */
public final class GuestToken {

  /**
   * The variable in the container's environment; the guest removes it before anything else runs.
   */
  public static final String VARIABLE = "SANDGLASS_TOKEN";

  private final String value;

  private GuestToken(String value) {
    this.value = value;
  }

  /**
   * @param nodeKey a secret of this node, at least 16 bytes, that survives restarts
   */
  public static GuestToken derive(byte[] nodeKey, String sandboxId, int incarnation) {
    if (nodeKey.length < 16) {
      throw new IllegalArgumentException(
          "Expected a node key of at least 16 bytes, but got " + nodeKey.length);
    }
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(nodeKey, "HmacSHA256"));
      byte[] digest =
          mac.doFinal(
              ("guest\0" + sandboxId + "\0" + incarnation).getBytes(StandardCharsets.UTF_8));
      return new GuestToken(HexFormat.of().formatHex(digest));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HMAC-SHA256 is part of every JDK", e);
    }
  }

  /** For the container's environment, and for nothing else. */
  public String reveal() {
    return value;
  }

  boolean matches(byte[] claimed) {
    return MessageDigest.isEqual(value.getBytes(StandardCharsets.US_ASCII), claimed);
  }

  @Override
  public String toString() {
    return "GuestToken[hidden]";
  }
}
