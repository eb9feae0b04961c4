// control/db/pg_connection.h
// One connection to PostgreSQL on Asio: libpq in non-blocking pipeline mode.
//
//   in       statements with parameters; several go out in one flush and come back in order
//   out      Rows, one for each statement. The first error stops the statements behind it.
//   threads  belongs to one io_context. What of libpq may block (name look-up, PQcancel) runs on a thread of its own.
//   deadline each run has one. After it the statement is cancelled at the server and what it still says is read
//            (kDrainLimit); a connection that cannot be brought back so is lost.
//   errors   see sql_error.h; failure() tells the SQLSTATE of the last one. Cancelling the coroutine loses the connection.
//   source   libpq 15: asynchronous processing, pipeline mode
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "control/db/params.h"
#include "control/db/rows.h"
#include "control/db/sql_error.h"
#include "engine/base/asio.h"

namespace penguin::control::db {

inline constexpr Duration kDrainLimit = std::chrono::seconds{2}; // to get a cancelled statement's answer

struct ConnectOptions {
    std::string dsn;  // libpq keywords or postgresql:// URI
    std::string user; // over the DSN's; "" leaves it
    Duration limit = std::chrono::seconds{5};
};

class PgConnection {
public:
    static awaitable<Result<std::unique_ptr<PgConnection>>> connect(ConnectOptions options);
    ~PgConnection();
    PgConnection(const PgConnection&) = delete;
    PgConnection& operator=(const PgConnection&) = delete;

    // The caller keeps `statements` until the result.
    awaitable<Result<std::vector<Rows>>> run(const std::vector<Statement>& statements, Duration limit);

    // Connected, no statement on its way, in no transaction.
    bool idle() const;
    bool lost() const;
    const SqlFailure& failure() const;

private:
    struct Wire;
    explicit PgConnection(std::shared_ptr<Wire> wire);
    std::shared_ptr<Wire> wire_;
};

} // namespace penguin::control::db
