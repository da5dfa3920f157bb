package io.sandglass.api.store;

import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

/** On the embedded database. */
final class H2ProjectionTest extends ProjectionContract {
  private static final DataSource DATABASE = database();

  private static DataSource database() {
    JdbcDataSource source = new JdbcDataSource();
    source.setURL(
        "jdbc:h2:mem:projection;DB_CLOSE_DELAY=-1;MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE;"
            + "DEFAULT_NULL_ORDERING=HIGH");
    source.setUser("sandglass");
    return source;
  }

  @Override
  DataSource dataSource() {
    return DATABASE;
  }
}
