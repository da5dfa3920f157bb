package io.sandglass.api.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import io.sandglass.api.domain.Ids;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Keys, and what is kept of them. */
final class ApiKeyTest {
  private final Ids ids = new Ids(InstantSource.system(), new SecureRandom());

  @Test
  void aKeyIsReadAsItWasWritten() {
    ApiKey key = ApiKey.generate(ids);

    assertThat(ApiKey.read(key.token())).isEqualTo(new ApiKey.Reading.Sound(key));
    assertThat(key.token()).matches("sg_[0-9a-z]{26}_[0-9a-z]{59}");
    assertThat(key.toString()).doesNotContain(key.secret());
  }

  @Test
  void everyMistypedCharacterAndEveryPairOfSwappedOnesIsNoticed() {
    String token = ApiKey.generate(ids).token();
    for (int i = "sg_".length(); i < token.length(); i++) {
      if (token.charAt(i) == '_') {
        continue;
      }
      for (char other : "0123456789abcdefghijklmnopqrstuvwxyz".toCharArray()) {
        if (other != token.charAt(i)) {
          assertThat(ApiKey.read(token.substring(0, i) + other + token.substring(i + 1)))
              .isEqualTo(new ApiKey.Reading.Mistyped());
        }
      }
      if (i + 1 < token.length()
          && token.charAt(i + 1) != '_'
          && token.charAt(i + 1) != token.charAt(i)) {
        assertThat(
                ApiKey.read(
                    token.substring(0, i)
                        + token.charAt(i + 1)
                        + token.charAt(i)
                        + token.substring(i + 2)))
            .isEqualTo(new ApiKey.Reading.Mistyped());
      }
    }
  }

  @Test
  void whatLooksLikeNoKeyIsMalformed() {
    String token = ApiKey.generate(ids).token();
    for (String text :
        Set.of(
            "",
            "sg_",
            token.substring(1),
            token.substring(0, token.length() - 1),
            token + "0",
            token + " ",
            token.replace("sg_", "SG_"),
            token.substring(0, token.length() - 8) + "A" + token.substring(token.length() - 7))) {
      assertThat(ApiKey.read(text)).as(text).isEqualTo(new ApiKey.Reading.Malformed());
    }
  }

  @Test
  void withoutThePepperAHashTellsNothing() {
    String token = ApiKey.generate(ids).token();
    Set<String> hashes = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      byte[] master = new byte[32];
      master[0] = (byte) i;
      Pepper pepper = MasterKey.of(Base64.getEncoder().encodeToString(master)).pepper();
      String hash = pepper.hash(token);
      hashes.add(hash);
      assertThat(hash).matches("[0-9a-f]{64}");
      assertThat(pepper.matches(token, hash)).isTrue();
      assertThat(pepper.matches(token + "0", hash)).isFalse();
      assertThat(pepper.matches(token, "")).isFalse();
    }
    assertThat(hashes).hasSize(3);
  }
}
