package io.sandglass.engine.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sandglass.schemas.ChainHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SigningKeyTest {
  private static final Checkpoint CHECKPOINT =
      new Checkpoint(
          3, 7, 1204, ChainHash.PARTITION, new Ledger.Last("sbx_1", 5), Instant.ofEpochMilli(42));

  @TempDir Path directory;

  @Test
  void isMadeOnceForItsOwnerAlone() throws IOException {
    Path file = directory.resolve("new/key.pem");
    SigningKey key = SigningKey.open(file);
    assertThat(SigningKey.open(file).id()).isEqualTo(key.id());
    assertThat(SigningKey.publicKey(file)).isEqualTo(key.publicKey());
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @Test
  void whatIsNoPairOfKeysIsRefused() throws IOException {
    Path file = directory.resolve("key.pem");
    Files.writeString(file, "nothing");
    assertThatThrownBy(() -> SigningKey.open(file)).hasMessageContaining("holds no private key");
    String one = Files.readString(made("one.pem"));
    String two = Files.readString(made("two.pem"));
    Files.writeString(file, one.substring(0, one.indexOf("-----BEGIN PUBLIC")));
    assertThatThrownBy(() -> SigningKey.open(file)).hasMessageContaining("holds no public key");
    Files.writeString(
        file,
        one.substring(0, one.indexOf("-----BEGIN PUBLIC"))
            + two.substring(two.indexOf("-----BEGIN PUBLIC")));
    assertThatThrownBy(() -> SigningKey.open(file)).hasMessageContaining("are no pair");
  }

  @Test
  void onlyWhatItSignedIsVouchedFor() {
    SigningKey key = SigningKey.generate();
    Checkpoint.Signed signed = key.sign(CHECKPOINT);
    PublicKeys ours = new PublicKeys(List.of(key.publicKey()));
    assertThat(ours.vouchFor(signed)).isTrue();
    Checkpoint other =
        new Checkpoint(3, 7, 1203, CHECKPOINT.head(), CHECKPOINT.last(), CHECKPOINT.at());
    assertThat(ours.vouchFor(new Checkpoint.Signed(other, key.id(), signed.signature()))).isFalse();
    assertThat(
            ours.vouchFor(
                new Checkpoint.Signed(
                    CHECKPOINT, key.id(), new Checkpoint.Signature(new byte[] {1, 2}))))
        .isFalse();
    PublicKeys others = new PublicKeys(List.of(SigningKey.generate().publicKey()));
    assertThat(others.vouchFor(signed)).isFalse();
  }

  /** With nothing of ours: as docs/audit.md tells a stranger to. */
  @Test
  void openSslVerifiesASignature() throws Exception {
    Path file = made("key.pem");
    Checkpoint.Signed signed = SigningKey.open(file).sign(CHECKPOINT);
    Files.writeString(
        directory.resolve("public.pem"), SigningKey.pem(SigningKey.publicKey(file)), UTF_8);
    Files.writeString(directory.resolve("text"), signed.checkpoint().text(), UTF_8);
    Files.write(directory.resolve("signature"), signed.signature().toBytes());
    Process openssl =
        new ProcessBuilder(
                "openssl",
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "public.pem",
                "-rawin",
                "-in",
                "text",
                "-sigfile",
                "signature")
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(openssl.getInputStream().readAllBytes(), UTF_8);
    assertThat(openssl.waitFor()).as(said).isZero();
  }

  private Path made(String name) throws IOException {
    Path file = directory.resolve(name);
    SigningKey.open(file);
    return file;
  }
}
