// tests/support/postgres_server.h
// A PostgreSQL of the tests' own: initialised once a process in a temporary folder, on a unix socket only, without
// fsync. Every test gets a database of its own. Ended by pid and removed at the end of the process.
//
//   as root   PostgreSQL runs as the user postgres
//   login     trust on the socket: dsn("pm_api") logs in as that role, dsn() as the owner (superuser `postgres`)
#pragma once

#include <string>
#include <string_view>

#include "control/db/database.h"

namespace penguin::test {

class PostgresServer {
public:
    // Starts it at the first call; throws std::runtime_error with the reason when it cannot.
    static PostgresServer& instance();

    // An empty database, and one with all migrations applied (copied from a template, some 50 ms). Their names.
    std::string empty_database();
    std::string migrated_database();
    std::string dsn(std::string_view database, std::string_view user = "postgres") const;

    // SQL by the owner, for what a test wants to see or break; the first column of the first row, or "". Throws on
    // errors.
    std::string sql(std::string_view database, const std::string& statements) const;

    void stop(); // fast shutdown, as an outage; start() brings it back
    void start();
    const std::string& folder() const { return folder_; }

    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

private:
    PostgresServer();
    ~PostgresServer();

    std::string folder_;
    int pid_ = 0;
    int databases_ = 0;
};

} // namespace penguin::test
