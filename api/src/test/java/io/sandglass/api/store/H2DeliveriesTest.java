package io.sandglass.api.store;

import javax.sql.DataSource;
import org.h2.jdbcx.JdbcConnectionPool;

/** On the embedded database. */
final class H2DeliveriesTest extends DeliveriesContract {
  private static final DataSource DATABASE =
      JdbcConnectionPool.create(
          "jdbc:h2:mem:deliveries;DB_CLOSE_DELAY=-1;MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;"
              + "DEFAULT_NULL_ORDERING=HIGH",
          "sandglass",
          "");

  @Override
  DataSource dataSource() {
    return DATABASE;
  }
}
