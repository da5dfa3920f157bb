package io.sandglass.api.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.ResultSetMetaData;
import java.util.HexFormat;
import org.jdbi.v3.core.Jdbi;

/** Whether two projections say the same: a hash over every row that is folded from the events. */
public final class ContentHash {
  private ContentHash() {}

  /** SHA-256 in hexadecimal. */
  public static String of(Jdbi jdbi) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
    // In one transaction: PostgreSQL streams rows only inside one.
    jdbi.useTransaction(
        handle -> {
          for (ProjectedTable table : ProjectedTable.ALL) {
            handle
                .createQuery(
                    "SELECT * FROM " + table.name() + " ORDER BY " + String.join(", ", table.key()))
                .setFetchSize(1000)
                .map(
                    (row, context) -> {
                      ResultSetMetaData columns = row.getMetaData();
                      for (int i = 1; i <= columns.getColumnCount(); i++) {
                        Object content =
                            columns.getColumnLabel(i).equalsIgnoreCase("env_sealed")
                                ? hex(row.getBytes(i))
                                : row.getString(i);
                        digest.update((content + "\u0000").getBytes(StandardCharsets.UTF_8));
                      }
                      return 1;
                    })
                .forEach(one -> digest.update((byte) '\n'));
          }
        });
    return HexFormat.of().formatHex(digest.digest());
  }

  private static String hex(byte[] bytes) {
    return bytes == null ? null : HexFormat.of().formatHex(bytes);
  }
}
