// control/db/pg_pool.h
// A few connections to one database as one role. More than four only cost the server CPU (measured), so callers wait in
// a line of bounded length and time.
//
//   threads  belongs to one io_context
//   errors   unavailable (no connection; fails at once while a back-off runs), full (the line is too long),
//            timeout (waited Options::acquire_limit)
//   faults   a lost connection throws out its idle sisters too; new ones are opened on demand, after a failure not
//            before a back-off of kBackoffMin doubling to kBackoffMax
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "control/db/pg_connection.h"
#include "engine/base/asio.h"
#include "engine/base/metrics.h"

namespace penguin::control::db {

inline constexpr std::chrono::milliseconds kBackoffMin{100};
inline constexpr std::chrono::milliseconds kBackoffMax{5'000};

struct PoolOptions {
    std::string dsn;
    std::string user;              // "" leaves the DSN's
    std::size_t connections = 4;   // at most
    std::size_t waiting_max = 256; // callers in the line
    Duration connect_limit = std::chrono::seconds{5};
    Duration acquire_limit = std::chrono::seconds{5};
    Duration query_limit = std::chrono::seconds{10}; // each flush
};

class PgPool {
    struct State;

public:
    PgPool(asio::any_io_executor executor, PoolOptions options, Registry& metrics);
    ~PgPool();
    PgPool(const PgPool&) = delete;
    PgPool& operator=(const PgPool&) = delete;

    // A connection for one transaction. Goes back when the lease ends; is closed instead when it is not idle then.
    class Lease {
    public:
        Lease(Lease&&) noexcept;
        Lease& operator=(Lease&&) noexcept;
        ~Lease();
        PgConnection& operator*() const { return *connection_; }
        PgConnection* operator->() const { return connection_.get(); }

    private:
        friend class PgPool;
        friend struct State;
        Lease(std::shared_ptr<State> pool, std::unique_ptr<PgConnection> connection);
        void give_back() noexcept;
        std::shared_ptr<State> pool_;
        std::unique_ptr<PgConnection> connection_;
    };
    awaitable<Result<Lease>> acquire();

    // Asks the server (SELECT 1): for readiness.
    awaitable<Result<>> check();
    // How the last connect or statement went; asks nobody.
    bool healthy() const;
    const PoolOptions& options() const;
    Registry& metrics() const;
    // Closes what is idle; what is leased closes when it comes back.
    void close();

private:
    std::shared_ptr<State> state_;
};

} // namespace penguin::control::db
