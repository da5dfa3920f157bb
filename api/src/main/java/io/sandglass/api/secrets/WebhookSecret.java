package io.sandglass.api.secrets;

import com.standardwebhooks.Webhook;
import com.standardwebhooks.exceptions.WebhookSigningException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Base64;

/**
 * What a webhook's messages are signed with, as in Standard Webhooks 1.0.
 *
 * @param text {@code whsec_} and 32 bytes in base64
 */
public record WebhookSecret(String text) {
  private static final String PREFIX = "whsec_";
  private static final int BYTES = 32;

  public static WebhookSecret generate(SecureRandom random) {
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    return new WebhookSecret(PREFIX + Base64.getEncoder().encodeToString(bytes));
  }

  /** As it is kept; opens for the same webhook only. */
  public byte[] sealed(MasterKey master, String webhookId) {
    return master.seal(text.getBytes(StandardCharsets.US_ASCII), webhookId);
  }

  public static WebhookSecret open(MasterKey master, String webhookId, byte[] sealed) {
    return new WebhookSecret(new String(master.open(sealed, webhookId), StandardCharsets.US_ASCII));
  }

  /** The signature of one message at one time. */
  public String sign(String id, Instant at, String payload) {
    try {
      return new Webhook(text).sign(id, at.getEpochSecond(), payload);
    } catch (WebhookSigningException e) {
      throw new IllegalStateException("This JDK cannot do HMAC-SHA256", e);
    }
  }

  @Override
  public String toString() {
    return PREFIX + "…";
  }
}
