package io.sandglass.engine.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;

/** The key that checkpoints are signed with: Ed25519, in a file that its owner alone can read. */
public final class SigningKey {
  private final PrivateKey privateKey;
  private final PublicKey publicKey;
  private final String id;

  private SigningKey(PrivateKey privateKey, PublicKey publicKey) {
    this.privateKey = privateKey;
    this.publicKey = publicKey;
    this.id = Pem.id(publicKey);
  }

  /** A new one. */
  public static SigningKey generate() {
    try {
      KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
      return new SigningKey(pair.getPrivate(), pair.getPublic());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every JDK has Ed25519", e);
    }
  }

  /**
   * The key in this file, which is made when it isn't there.
   *
   * @throws IOException when the file holds no pair of keys, or can't be read or written
   */
  public static SigningKey open(Path file) throws IOException {
    if (Files.exists(file)) {
      return read(file);
    }
    SigningKey made = generate();
    Path directory = file.toAbsolutePath().getParent();
    Files.createDirectories(directory);
    Path draft =
        Files.createTempFile(
            directory,
            ".draft",
            "",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(draft, Pem.of(made.privateKey) + Pem.of(made.publicKey));
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    return made;
  }

  /**
   * The key in this file.
   *
   * @throws IOException when the file holds no pair of keys, or can't be read
   */
  private static SigningKey read(Path file) throws IOException {
    String pem = Files.readString(file);
    try {
      SigningKey key =
          new SigningKey(
              Pem.privateKey(pem).orElseThrow(() -> lacks(file, "private")),
              Pem.publicKey(pem).orElseThrow(() -> lacks(file, "public")));
      key.checkThatItIsAPair(file);
      return key;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(file + " holds no Ed25519 keys: " + e.getMessage(), e);
    }
  }

  /**
   * The public key in a file, which may hold the private one too.
   *
   * @throws IOException when there is none in it
   */
  public static PublicKey publicKey(Path file) throws IOException {
    try {
      return Pem.publicKey(Files.readString(file)).orElseThrow(() -> lacks(file, "public"));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(file + " holds no Ed25519 key: " + e.getMessage(), e);
    }
  }

  /** How checkpoints name it. */
  public String id() {
    return id;
  }

  public PublicKey publicKey() {
    return publicKey;
  }

  /** The public half, in PEM. */
  public static String pem(PublicKey key) {
    return Pem.of(key);
  }

  public Checkpoint.Signed sign(Checkpoint checkpoint) {
    try {
      Signature signer = Signature.getInstance("Ed25519");
      signer.initSign(privateKey);
      signer.update(checkpoint.text().getBytes(UTF_8));
      return new Checkpoint.Signed(checkpoint, id, new Checkpoint.Signature(signer.sign()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("The key can't sign", e);
    }
  }

  private void checkThatItIsAPair(Path file) throws GeneralSecurityException, IOException {
    byte[] word = "a pair".getBytes(UTF_8);
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(privateKey);
    signature.update(word);
    byte[] signed = signature.sign();
    signature.initVerify(publicKey);
    signature.update(word);
    if (!signature.verify(signed)) {
      throw new IOException("The keys in " + file + " are no pair");
    }
  }

  private static IOException lacks(Path file, String which) {
    return new IOException("%s holds no %s key in PEM".formatted(file, which));
  }
}
