package io.sandglass.engine.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The keys whose checkpoints are believed. */
public final class PublicKeys {
  private final Map<String, PublicKey> keys = new HashMap<>();

  public PublicKeys(List<PublicKey> keys) {
    keys.forEach(key -> this.keys.put(Pem.id(key), key));
  }

  /** Their ids. */
  public Set<String> ids() {
    return Set.copyOf(keys.keySet());
  }

  /** Whether the checkpoint says what one of these keys signed. */
  public boolean vouchFor(Checkpoint.Signed signed) {
    PublicKey key = keys.get(signed.keyId());
    if (key == null) {
      return false;
    }
    try {
      Signature verifier = Signature.getInstance("Ed25519");
      verifier.initVerify(key);
      verifier.update(signed.checkpoint().text().getBytes(UTF_8));
      return verifier.verify(signed.signature().toBytes());
    } catch (GeneralSecurityException e) {
      // Also said of bytes that are no signature at all.
      return false;
    }
  }
}
