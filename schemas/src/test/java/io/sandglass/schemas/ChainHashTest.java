package io.sandglass.schemas;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ChainHashTest {
  private static final byte[] KEY = "sbx_1".getBytes(US_ASCII);

  /**
   * Fixed for ever: every log holds them. Computed with another program: {@code printf 'sandglass
   * sandbox 1' | sha256sum}, and so on.
   */
  @Test
  void isWhatAnybodyComputesWithSha256() {
    assertThat(ChainHash.SANDBOX)
        .hasToString("5eaee49f30e00939096f95f2604e97477e6384b3f983f40c93cfde77e4ec9f12");
    assertThat(ChainHash.PARTITION)
        .hasToString("2305da681620bedffdaa5cfa1a74bef2eff6319fcb0f203c5dfd845c5a7bad51");
    ChainHash first = ChainHash.SANDBOX.then(KEY, "value".getBytes(US_ASCII));
    assertThat(first)
        .hasToString("7b1cb44fddcb9626c04d2320861a06008493cae7449e23e63457f920fb0fd683");
    assertThat(ChainHash.PARTITION.then(first))
        .hasToString("3ecddeda26bb53160f66900e957d57c03ab59884f3d5339e9b75d2792fa7d610");
  }

  @Test
  void keyAndValueAreToldApart() {
    assertThat(ChainHash.SANDBOX.then("ab".getBytes(US_ASCII), "c".getBytes(US_ASCII)))
        .isNotEqualTo(ChainHash.SANDBOX.then("a".getBytes(US_ASCII), "bc".getBytes(US_ASCII)));
  }

  @Test
  void hasThirtyTwoBytes() {
    assertThat(ChainHash.of(ChainHash.SANDBOX.toBytes())).isEqualTo(ChainHash.SANDBOX);
    assertThatThrownBy(() -> ChainHash.of(new byte[31])).hasMessageContaining("32 bytes");
  }
}
