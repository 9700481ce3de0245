// SPDX-License-Identifier: Apache-2.0

/// A password in every spelling of an address that people write, right or wrong.
package enum PlantedPassword {
  package static let secret = "hunter2PLANTED"

  /// Nobody listens on port 1.
  package static let spellings = [
    "postgresql://u:SECRET@127.0.0.1:1/d", "postgres://u:SECRET@127.0.0.1:1/d",
    "PostgreSQL://u:SECRET@127.0.0.1:1/d", "postgresql+psycopg2://u:SECRET@127.0.0.1:1/d",
    "postgresql://:SECRET@127.0.0.1:1/d", "postgresql://u:SECRET@127.0.0.1:1",
    "postgresql://u:p@SECRET@127.0.0.1:1/d", "postgresql://u:SECRET@ss@127.0.0.1:1/d",
    "postgresql://u:p?SECRET@127.0.0.1:1/d", "postgresql://u:p/SECRET@127.0.0.1:1/d",
    "postgresql://u:p#SECRET@127.0.0.1:1/d", "postgresql://u:p%25SECRET@127.0.0.1:1/d",
    "postgresql://u:p%SECRET@127.0.0.1:1/d", "postgresql://u:p:SECRET@127.0.0.1:1/d",
    "postgresql://u:SECRET@[::1]:1/d", "postgresql://u:SECRET@[::1/d",
    "postgresql://u:SECRET@127.0.0.1:1,127.0.0.1:2/d", "postgresql://u:SECRET@%2Ftmp%2Fnone/d",
    "postgresql://u@127.0.0.1:1/d?password=SECRET",
    "postgresql://u@127.0.0.1:1/d?sslpassword=SECRET",
    "postgresql://u@127.0.0.1:1/d?pass%77ord=SECRET",
    "postgresql://u@127.0.0.1:1/d?sslmode=disable&PASSWORD=SECRET",
    "postgresql://u@127.0.0.1:1/d?sslmode=SECRET",
    "postgresql://u@127.0.0.1:1/d?connect_timeout=SECRET",
    "postgresql://u@127.0.0.1:1/d?SECRET", "postgresql://u@127.0.0.1:1/d?SECRET=1",
    "postgresql://127.0.0.1:1/d?user=u&password=SECRET&options=-cx%3DSECRET",
    "postgresql://u:SECRET@127.0.0.1:SECRET/d", "postgresql://127.0.0.1:1/d?user=u@SECRET",
    "postgresql:/u:SECRET@127.0.0.1/d", "postgresql:u:SECRET@127.0.0.1/d",
    "postgresql:u:SECRET@127.0.0.1/d.db", "u:SECRET@127.0.0.1/d", "u:SECRET@127.0.0.1/d.db",
    "host=127.0.0.1 port=1 password=SECRET", "host=127.0.0.1 password=SECRET dbname=d.db",
    "host=127.0.0.1 password = 'SECRET'", "mysql://u:SECRET@127.0.0.1/d",
    "redis://:SECRET@127.0.0.1", "sqlite://u:SECRET@127.0.0.1/d", "sqlite:///d.db?password=SECRET",
    "https://u:SECRET@127.0.0.1/d", " postgresql://u:SECRET@127.0.0.1:1/d",
    "postgresql//u:SECRET@127.0.0.1/d", "sqlite:u:SECRET@127.0.0.1/d", "d.db?password=SECRET",
    "SECRET@127.0.0.1/d.db?x=1", "~/d.db?password=SECRET", "postgre://u:SECRET@127.0.0.1/d",
  ].map { $0.replacing("SECRET", with: secret) }
}
