package io.sandglass.api.secrets;

import com.google.crypto.tink.AccessesPartialKey;
import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.AesGcmKey;
import com.google.crypto.tink.aead.AesGcmParameters;
import com.google.crypto.tink.util.SecretBytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Set;
import javax.crypto.KDF;
import javax.crypto.spec.HKDFParameterSpec;

/** The key that seals all others: 32 bytes that never reach the database or the log. */
public final class MasterKey {
  private static final int BYTES = 32;

  private final Aead aead;
  private final Pepper pepper;

  private MasterKey(Aead aead, Pepper pepper) {
    this.aead = aead;
    this.pepper = pepper;
  }

  /**
   * @param base64 32 bytes, as {@code openssl rand -base64 32} prints them
   * @throws IllegalArgumentException when it is anything else
   */
  @AccessesPartialKey
  public static MasterKey of(String base64) {
    byte[] bytes = Base64.getDecoder().decode(base64.strip());
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException(
          "The master key must have " + BYTES + " bytes, but has " + bytes.length);
    }
    try {
      AeadConfig.register();
      AesGcmKey key =
          AesGcmKey.builder()
              .setParameters(
                  AesGcmParameters.builder()
                      .setKeySizeBytes(BYTES)
                      .setIvSizeBytes(12)
                      .setTagSizeBytes(16)
                      .setVariant(AesGcmParameters.Variant.NO_PREFIX)
                      .build())
              .setKeyBytes(SecretBytes.copyFrom(bytes, InsecureSecretKeyAccess.get()))
              .build();
      KeysetHandle keyset =
          KeysetHandle.newBuilder()
              .addEntry(KeysetHandle.importKey(key).withFixedId(1).makePrimary())
              .build();
      return new MasterKey(
          keyset.getPrimitive(RegistryConfiguration.get(), Aead.class), pepper(bytes));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JDK cannot do AES-GCM or HKDF", e);
    }
  }

  /** Derived: what one of the two keys does tells nothing about the other. */
  private static Pepper pepper(byte[] master) throws GeneralSecurityException {
    return new Pepper(
        KDF.getInstance("HKDF-SHA256")
            .deriveKey(
                "HmacSHA256",
                HKDFParameterSpec.ofExtract()
                    .addIKM(master)
                    .thenExpand("sandglass api keys".getBytes(StandardCharsets.UTF_8), BYTES)));
  }

  /** Reads the key from a file that only its owner may read; makes one when there is none. */
  public static MasterKey inFile(Path file, SecureRandom random) throws IOException {
    byte[] fresh = new byte[BYTES];
    random.nextBytes(fresh);
    Files.createDirectories(file.toAbsolutePath().getParent());
    try (var channel =
        Files.newByteChannel(
            file,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      channel.write(
          java.nio.ByteBuffer.wrap(
              (Base64.getEncoder().encodeToString(fresh) + "\n")
                  .getBytes(StandardCharsets.US_ASCII)));
    } catch (FileAlreadyExistsException e) {
      // Made at an earlier start; it opens what was sealed then.
    }
    return of(Files.readString(file, StandardCharsets.US_ASCII));
  }

  /**
   * @param context what the bytes belong to: they open only with the same context
   */
  public byte[] seal(byte[] plain, String context) {
    try {
      return aead.encrypt(plain, context.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Sealing failed", e);
    }
  }

  public byte[] open(byte[] sealed, String context) {
    try {
      return aead.decrypt(sealed, context.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Sealed with another master key, or damaged", e);
    }
  }

  /** What API keys are hashed with. */
  public Pepper pepper() {
    return pepper;
  }

  Aead aead() {
    return aead;
  }
}
