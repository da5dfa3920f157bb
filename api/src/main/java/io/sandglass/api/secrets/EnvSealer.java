package io.sandglass.api.secrets;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.crypto.tink.Aead;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkProtoKeysetFormat;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import io.sandglass.api.domain.SealedEnv;
import io.sandglass.api.store.SandboxKeyStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;

/**
 * Seals a sandbox's environment with a key of its own before it enters the log. The key is kept in
 * the database, sealed with the master key, and is deleted when the sandbox ends: from then on
 * nobody can read the values that the log holds for ever.
 */
public final class EnvSealer {
  private static final TypeReference<Map<String, String>> PAIRS = new TypeReference<>() {};

  private final MasterKey master;
  private final SandboxKeyStore keys;
  private final InstantSource clock;
  private final ObjectMapper json = new ObjectMapper();

  public EnvSealer(MasterKey master, SandboxKeyStore keys, InstantSource clock) {
    this.master = master;
    this.keys = keys;
    this.clock = clock;
  }

  /** Makes the sandbox's key when it has none yet; none is made for an empty environment. */
  public SealedEnv seal(String sandboxId, Map<String, String> env) {
    if (env.isEmpty()) {
      return SealedEnv.NONE;
    }
    try {
      KeysetHandle fresh =
          KeysetHandle.generateNew(
              PredefinedAeadParameters.AES256_GCM, RegistryConfiguration.get());
      keys.add(
          sandboxId,
          TinkProtoKeysetFormat.serializeEncryptedKeyset(
              fresh, master.aead(), context(sandboxId), RegistryConfiguration.get()),
          clock.instant());
      byte[] plain = json.writeValueAsBytes(new TreeMap<>(env));
      return new SealedEnv(
          env.keySet().stream().sorted().toList(),
          aead(sandboxId).encrypt(plain, context(sandboxId)));
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("Sealing failed", e);
    }
  }

  /** The values; empty when there never were any. */
  public Map<String, String> open(String sandboxId, SealedEnv env) {
    if (env.sealed() == null) {
      return Map.of();
    }
    try {
      return json.readValue(aead(sandboxId).decrypt(env.sealed(), context(sandboxId)), PAIRS);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("Sealed with another key, or damaged", e);
    }
  }

  /** For a sandbox that never came to be. */
  public void forget(String sandboxId) {
    keys.delete(sandboxId);
  }

  private Aead aead(String sandboxId) throws GeneralSecurityException {
    byte[] sealed =
        keys.find(sandboxId)
            .orElseThrow(() -> new IllegalStateException("The sandbox's key is gone"));
    return TinkProtoKeysetFormat.parseEncryptedKeyset(
            sealed, master.aead(), context(sandboxId), RegistryConfiguration.get())
        .getPrimitive(RegistryConfiguration.get(), Aead.class);
  }

  private static byte[] context(String sandboxId) {
    return sandboxId.getBytes(StandardCharsets.UTF_8);
  }
}
