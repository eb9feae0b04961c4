#include "control/db/pg_pool.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "engine/base/log.h"

namespace penguin::control::db {

struct PgPool::State : std::enable_shared_from_this<PgPool::State> {
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& executor) : timer{executor} {}
        asio::steady_timer timer;
        std::unique_ptr<PgConnection> connection; // handed over by who gives one back
        bool woken = false;                       // its turn: with a connection, or because one may be opened
    };

    State(asio::any_io_executor on, PoolOptions given, Registry& counted)
        : executor{std::move(on)},
          options{std::move(given)},
          metrics{counted},
          opened{metrics.counter("penguin_db_connections_opened_total", "Connections to PostgreSQL that were opened",
                                 {{"role", options.user}})},
          failed{metrics.counter("penguin_db_connect_failures_total", "Connections to PostgreSQL that failed",
                                 {{"role", options.user}})},
          lost{metrics.counter("penguin_db_connections_lost_total", "Connections to PostgreSQL lost in use",
                               {{"role", options.user}})},
          open_now{metrics.gauge("penguin_db_connections", "Open connections to PostgreSQL", {{"role", options.user}})},
          waiting_now{metrics.gauge("penguin_db_waiting", "Callers that wait for a connection to PostgreSQL",
                                    {{"role", options.user}})}
    {
    }

    awaitable<Result<std::unique_ptr<PgConnection>>> take();
    awaitable<Result<std::unique_ptr<PgConnection>>> open();
    awaitable<Result<std::unique_ptr<PgConnection>>> wait_in_line(SteadyTime until); // null: look again
    void put_back(std::unique_ptr<PgConnection> connection);
    void wake_next();
    void drop(std::size_t count)
    {
        open_count -= count;
        open_now.add(-static_cast<std::int64_t>(count));
    }

    asio::any_io_executor executor;
    PoolOptions options;
    Registry& metrics;
    std::vector<std::unique_ptr<PgConnection>> idle; // the last given back is taken first
    std::deque<std::shared_ptr<Waiter>> line;
    std::size_t open_count = 0; // idle, leased and being opened
    bool healthy = true;
    bool closed = false;
    std::chrono::milliseconds backoff{0};
    SteadyTime not_before{};
    Error last_failure{Errc::unavailable, "database: not connected"};
    Counter& opened;
    Counter& failed;
    Counter& lost;
    Gauge& open_now;
    Gauge& waiting_now;
};

awaitable<Result<std::unique_ptr<PgConnection>>> PgPool::State::take()
{
    const SteadyTime until = std::chrono::steady_clock::now() + options.acquire_limit;
    while (!closed) {
        while (!idle.empty()) {
            std::unique_ptr<PgConnection> connection = std::move(idle.back());
            idle.pop_back();
            if (connection->idle()) co_return connection;
            drop(1);
        }
        if (open_count < options.connections) {
            Result<std::unique_ptr<PgConnection>> connection = co_await open();
            co_return connection;
        }
        Result<std::unique_ptr<PgConnection>> connection = co_await wait_in_line(until);
        if (!connection || *connection) co_return connection;
    }
    co_return fail(Errc::cancelled, "database: the pool is closed");
}

awaitable<Result<std::unique_ptr<PgConnection>>> PgPool::State::open()
{
    if (std::chrono::steady_clock::now() < not_before) co_return std::unexpected{last_failure};
    // Counted while it is being opened; a cancelled caller takes its count back.
    struct Count {
        State* state;
        bool kept = false;
        explicit Count(State* of) : state{of}
        {
            ++state->open_count;
            state->open_now.add(1);
        }
        ~Count()
        {
            if (kept) return;
            state->drop(1);
            state->wake_next();
        }
    } count{this};
    ConnectOptions connect{options.dsn, options.user, options.connect_limit};
    Result<std::unique_ptr<PgConnection>> connection = co_await PgConnection::connect(std::move(connect));
    if (!connection) {
        failed.add();
        if (healthy) log::warning("db", "connect_failed", {{"role", options.user}, {"why", connection.error().detail}});
        healthy = false;
        backoff = std::clamp(backoff * 2, kBackoffMin, kBackoffMax);
        not_before = std::chrono::steady_clock::now() + backoff;
        // Whatever it was in detail, the caller can only come back later.
        last_failure = Error{Errc::unavailable, connection.error().detail};
        co_return std::unexpected{last_failure};
    }
    if (!healthy) log::info("db", "connected_again", {{"role", options.user}});
    healthy = true;
    backoff = std::chrono::milliseconds{0};
    opened.add();
    count.kept = true;
    co_return connection;
}

awaitable<Result<std::unique_ptr<PgConnection>>> PgPool::State::wait_in_line(SteadyTime until)
{
    if (line.size() >= options.waiting_max)
        co_return fail(Errc::full, "database: too many callers wait for a connection");
    const auto waiter = std::make_shared<Waiter>(executor);
    waiter->timer.expires_at(until);
    line.push_back(waiter);
    waiting_now.add(1);
    // Also when this coroutine is cancelled: what was handed to it goes on to the next.
    struct Leave {
        State* state;
        std::shared_ptr<Waiter> waiter;
        ~Leave()
        {
            state->waiting_now.add(-1);
            std::erase(state->line, waiter);
            if (waiter->connection)
                state->put_back(std::move(waiter->connection));
            else if (waiter->woken)
                state->wake_next();
        }
    } const leave{this, waiter};
    co_await waiter->timer.async_wait(use_result);
    if (!waiter->woken) co_return fail(Errc::timeout, "database: no connection became free in time");
    waiter->woken = false;
    co_return std::move(waiter->connection);
}

void PgPool::State::wake_next()
{
    if (line.empty()) return;
    const std::shared_ptr<Waiter> next = line.front();
    line.pop_front();
    next->woken = true;
    next->timer.cancel();
}

void PgPool::State::put_back(std::unique_ptr<PgConnection> connection)
{
    if (connection->lost()) {
        // Its sisters have most likely gone the same way: a server that restarts ends them all.
        lost.add();
        drop(1 + idle.size());
        idle.clear();
        wake_next();
        return;
    }
    if (!connection->idle() || closed) {
        drop(1);
        wake_next();
        return;
    }
    if (line.empty()) {
        idle.push_back(std::move(connection));
        return;
    }
    line.front()->connection = std::move(connection);
    wake_next();
}

PgPool::PgPool(asio::any_io_executor executor, PoolOptions options, Registry& metrics)
    : state_{std::make_shared<State>(std::move(executor), std::move(options), metrics)}
{
}

PgPool::~PgPool() { close(); }

awaitable<Result<PgPool::Lease>> PgPool::acquire()
{
    const std::shared_ptr<State> state = state_; // the pool may go while we wait
    Result<std::unique_ptr<PgConnection>> connection = co_await state->take();
    if (!connection) co_return std::unexpected{connection.error()};
    co_return Lease{state, std::move(*connection)};
}

awaitable<Result<>> PgPool::check()
{
    Result<Lease> lease = co_await acquire();
    if (!lease) co_return std::unexpected{lease.error()};
    const std::vector<Statement> statements{{"select 1", {}}};
    const Result<std::vector<Rows>> rows = co_await (*lease)->run(statements, state_->options.query_limit);
    if (!rows) co_return std::unexpected{rows.error()};
    co_return Result<>{};
}

bool PgPool::healthy() const { return state_->healthy; }

const PoolOptions& PgPool::options() const { return state_->options; }

Registry& PgPool::metrics() const { return state_->metrics; }

void PgPool::close()
{
    state_->closed = true;
    state_->drop(state_->idle.size());
    state_->idle.clear();
    while (!state_->line.empty()) state_->wake_next();
}

PgPool::Lease::Lease(std::shared_ptr<State> pool, std::unique_ptr<PgConnection> connection)
    : pool_{std::move(pool)},
      connection_{std::move(connection)}
{
}

PgPool::Lease::Lease(Lease&& other) noexcept = default;

PgPool::Lease& PgPool::Lease::operator=(Lease&& other) noexcept
{
    if (this == &other) return *this;
    give_back();
    pool_ = std::move(other.pool_);
    connection_ = std::move(other.connection_);
    return *this;
}

PgPool::Lease::~Lease() { give_back(); }

void PgPool::Lease::give_back() noexcept
{
    if (connection_) pool_->put_back(std::move(connection_));
}

} // namespace penguin::control::db
