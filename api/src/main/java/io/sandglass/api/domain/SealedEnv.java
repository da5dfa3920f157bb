package io.sandglass.api.domain;

import java.util.Arrays;
import java.util.List;

/**
 * Environment variables whose values only the holder of the sandbox's key can read.
 *
 * @param sealed null when there are no values, or no longer
 */
@SuppressWarnings("ArrayRecordComponent") // equality is spelled out below
public record SealedEnv(List<String> names, byte[] sealed) {

  public static final SealedEnv NONE = new SealedEnv(List.of(), null);

  public SealedEnv {
    names = List.copyOf(names);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SealedEnv env
        && names.equals(env.names)
        && Arrays.equals(sealed, env.sealed);
  }

  @Override
  public int hashCode() {
    return 31 * names.hashCode() + Arrays.hashCode(sealed);
  }

  @Override
  public String toString() {
    return "SealedEnv" + names;
  }
}
