package io.sandglass.engine.audit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Ed25519 keys as OpenSSL writes and reads them. */
final class Pem {
  private static final String PRIVATE = "PRIVATE KEY";
  private static final String PUBLIC = "PUBLIC KEY";
  private static final int ID_DIGITS = 16;

  private Pem() {}

  static String of(PrivateKey key) {
    return block(PRIVATE, key.getEncoded());
  }

  static String of(PublicKey key) {
    return block(PUBLIC, key.getEncoded());
  }

  static Optional<PrivateKey> privateKey(String pem) throws GeneralSecurityException {
    Optional<byte[]> encoded = content(PRIVATE, pem);
    return encoded.isEmpty()
        ? Optional.empty()
        : Optional.of(factory().generatePrivate(new PKCS8EncodedKeySpec(encoded.get())));
  }

  static Optional<PublicKey> publicKey(String pem) throws GeneralSecurityException {
    Optional<byte[]> encoded = content(PUBLIC, pem);
    return encoded.isEmpty()
        ? Optional.empty()
        : Optional.of(factory().generatePublic(new X509EncodedKeySpec(encoded.get())));
  }

  /** The name that checkpoints call a key by. */
  static String id(PublicKey key) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
      return HexFormat.of().formatHex(digest).substring(0, ID_DIGITS);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
  }

  private static KeyFactory factory() throws GeneralSecurityException {
    return KeyFactory.getInstance("Ed25519");
  }

  private static String block(String name, byte[] content) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(
            name, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content), name);
  }

  private static Optional<byte[]> content(String name, String pem) {
    Matcher block =
        Pattern.compile("-----BEGIN " + name + "-----([^-]+)-----END " + name + "-----")
            .matcher(pem);
    return block.find()
        ? Optional.of(Base64.getMimeDecoder().decode(block.group(1).getBytes(US_ASCII)))
        : Optional.empty();
  }
}
