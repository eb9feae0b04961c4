#include "control/db/pg_connection.h"

#include <array>
#include <cassert>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <libpq-fe.h>

namespace penguin::control::db {

namespace {

// For the calls of libpq that may block: PQconnectStart looks names up, PQcancel connects. One an io_context, which waits for
// it before it goes: when the caller goes on, the thread has still to let go of the caller's executor.
class BlockingThread final : public asio::execution_context::service {
public:
    using key_type = BlockingThread;
    static inline asio::execution_context::id id;
    explicit BlockingThread(asio::execution_context& owner) : service{owner} {}
    asio::thread_pool& pool() { return pool_; }

private:
    void shutdown() override { pool_.join(); }
    asio::thread_pool pool_{1};
};

// Runs `work` on that thread and comes back to the caller's executor.
template <class Work>
awaitable<void> on_blocking_thread(Work work)
{
    const auto done = std::make_shared<std::function<void()>>(std::move(work));
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    asio::execution_context& context = asio::query(here, asio::execution::context);
    co_await asio::co_spawn(
        asio::use_service<BlockingThread>(context).pool(),
        [](std::shared_ptr<std::function<void()>> work) -> awaitable<void> {
            (*work)();
            co_return;
        }(done),
        asio::use_awaitable);
}

std::string first_line(const char* text)
{
    const std::string_view all{text != nullptr ? text : ""};
    return std::string{all.substr(0, all.find('\n'))};
}

} // namespace

struct PgConnection::Wire : std::enable_shared_from_this<PgConnection::Wire> {
    explicit Wire(const asio::any_io_executor& executor) : socket{executor}, timer{executor} {}
    ~Wire() { close(); }

    void close()
    {
        if (socket.is_open()) socket.release(); // libpq closes the descriptor itself
        if (pg != nullptr) PQfinish(pg);
        pg = nullptr;
        busy = false;
    }

    // libpq may change its descriptor while it connects.
    void watch_socket()
    {
        const int now = PQsocket(pg);
        if (socket.is_open() && socket.native_handle() == now) return;
        if (socket.is_open()) socket.release();
        if (now >= 0) socket.assign(now);
    }

    void arm(SteadyTime deadline)
    {
        expired = false;
        const std::uint64_t mine = ++armed;
        timer.expires_at(deadline);
        timer.async_wait([self = weak_from_this(), mine](const error_code& code) {
            const auto wire = self.lock();
            if (code || !wire || wire->armed != mine) return;
            wire->expired = true;
            error_code ignored;
            wire->socket.cancel(ignored);
        });
    }
    void disarm()
    {
        ++armed;
        timer.cancel();
    }

    std::unexpected<Error> lost(std::string why)
    {
        failure = SqlFailure{"", "", true};
        disarm();
        close();
        return fail(Errc::unavailable, "database: " + std::move(why));
    }

    awaitable<Result<>> wait(asio::posix::stream_descriptor::wait_type what);
    awaitable<Result<>> flush();
    awaitable<Result<std::shared_ptr<PGresult>>> next_result();
    awaitable<Result<std::vector<Rows>>> exchange(const std::vector<Statement>& statements);
    awaitable<Result<std::vector<Rows>>> answers();
    awaitable<Result<>> cancel_and_drain();
    bool send(const Statement& statement) const;
    Error error_in(const PGresult* result);

    asio::posix::stream_descriptor socket;
    asio::steady_timer timer;
    PGconn* pg = nullptr;
    SqlFailure failure;
    bool expired = false;
    bool busy = false;  // statements are on their way
    bool synced = true; // the answer to the last sync has been read
    std::uint64_t armed = 0;
};

awaitable<Result<>> PgConnection::Wire::wait(asio::posix::stream_descriptor::wait_type what)
{
    if (expired) co_return fail(Errc::timeout, "database: no answer in time");
    const auto [code] = co_await socket.async_wait(what, use_result);
    if (expired) co_return fail(Errc::timeout, "database: no answer in time");
    if (code) co_return std::unexpected{error_of(code, "database")};
    co_return Result<>{};
}

// Reads while it writes: else both sides could wait for the other with full buffers.
awaitable<Result<>> PgConnection::Wire::flush()
{
    using namespace asio::experimental::awaitable_operators;
    while (true) {
        const int status = PQflush(pg);
        if (status == 0) co_return Result<>{};
        if (status < 0) co_return lost(first_line(PQerrorMessage(pg)));
        const auto first = co_await (wait(asio::posix::stream_descriptor::wait_write) ||
                                     wait(asio::posix::stream_descriptor::wait_read));
        const Result<>& ready = first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
        if (!ready) co_return ready;
        if (first.index() == 1 && PQconsumeInput(pg) == 0) co_return lost(first_line(PQerrorMessage(pg)));
    }
}

// Null at the end of a statement's results.
awaitable<Result<std::shared_ptr<PGresult>>> PgConnection::Wire::next_result()
{
    while (PQisBusy(pg) == 1) {
        const Result<> readable = co_await wait(asio::posix::stream_descriptor::wait_read);
        if (!readable) co_return std::unexpected{readable.error()};
        if (PQconsumeInput(pg) == 0) co_return lost(first_line(PQerrorMessage(pg)));
    }
    co_return std::shared_ptr<PGresult>{PQgetResult(pg), PQclear};
}

bool PgConnection::Wire::send(const Statement& statement) const
{
    const auto& params = statement.params.all();
    assert(params.size() <= kParamsMax);
    std::array<const char*, kParamsMax> values{};
    std::array<int, kParamsMax> lengths{};
    std::array<int, kParamsMax> formats{};
    for (std::size_t i = 0; i < params.size(); ++i) {
        if (!params[i].value) continue;
        values[i] = params[i].value->c_str();
        lengths[i] = static_cast<int>(params[i].value->size());
        formats[i] = params[i].binary ? 1 : 0;
    }
    return PQsendQueryParams(pg, statement.sql.c_str(), static_cast<int>(params.size()), nullptr, values.data(),
                             lengths.data(), formats.data(), 0) == 1;
}

Error PgConnection::Wire::error_in(const PGresult* result)
{
    const auto field = [result](int code) {
        const char* text = PQresultErrorField(result, code);
        return std::string{text != nullptr ? text : ""};
    };
    failure = SqlFailure{field(PG_DIAG_SQLSTATE), field(PG_DIAG_CONSTRAINT_NAME), false};
    // Only the primary message: DETAIL may quote somebody's data.
    return Error{errc_of(failure.sqlstate),
                 "database: " + field(PG_DIAG_MESSAGE_PRIMARY) + " (" + failure.sqlstate + ")"};
}

// What the statements gave, up to and with the sync behind them. The first error is the answer to all.
awaitable<Result<std::vector<Rows>>> PgConnection::Wire::answers()
{
    std::vector<Rows> all;
    std::optional<Error> error;
    while (true) {
        const Result<std::shared_ptr<PGresult>> next = co_await next_result();
        if (!next) co_return std::unexpected{next.error()};
        const PGresult* result = next->get();
        if (result == nullptr) {
            if (PQstatus(pg) == CONNECTION_BAD) co_return lost(first_line(PQerrorMessage(pg)));
            continue;
        }
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            synced = true;
            break;
        }
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
            all.emplace_back(*next);
        else if (status == PGRES_FATAL_ERROR && !error)
            error = error_in(result);
        // FATAL of the server (terminated by an administrator) is followed by the end of the connection.
        if (PQstatus(pg) == CONNECTION_BAD) co_return lost(error ? error->detail : first_line(PQerrorMessage(pg)));
    }
    if (error) co_return std::unexpected{std::move(*error)};
    co_return all;
}

awaitable<Result<std::vector<Rows>>> PgConnection::Wire::exchange(const std::vector<Statement>& statements)
{
    synced = false;
    for (const Statement& statement : statements)
        if (!send(statement)) co_return lost(first_line(PQerrorMessage(pg)));
    if (PQpipelineSync(pg) != 1) co_return lost(first_line(PQerrorMessage(pg)));
    const Result<> flushed = co_await flush();
    if (!flushed) co_return std::unexpected{flushed.error()};
    Result<std::vector<Rows>> all = co_await answers();
    if (all && all->size() != statements.size()) co_return lost("as many answers as statements were expected");
    co_return all;
}

awaitable<Result<>> PgConnection::Wire::cancel_and_drain()
{
    const std::shared_ptr<PGcancel> cancel{PQgetCancel(pg), PQfreeCancel};
    arm(std::chrono::steady_clock::now() + kDrainLimit);
    const auto ask = [cancel] {
        std::array<char, 256> why{};
        PQcancel(cancel.get(), why.data(), static_cast<int>(why.size()));
    };
    co_await on_blocking_thread(ask);
    const Result<> flushed = co_await flush();
    if (!flushed) co_return flushed;
    const Result<std::vector<Rows>> rest = co_await answers();
    disarm();
    if (pg == nullptr || !synced) co_return fail(Errc::closed, "lost while a statement was cancelled");
    co_return Result<>{};
}

PgConnection::PgConnection(std::shared_ptr<Wire> wire) : wire_{std::move(wire)} {}

PgConnection::~PgConnection()
{
    wire_->disarm();
    wire_->close();
}

awaitable<Result<std::unique_ptr<PgConnection>>> PgConnection::connect(ConnectOptions options)
{
    const auto wire = std::make_shared<Wire>(co_await asio::this_coro::executor);
    wire->arm(std::chrono::steady_clock::now() + options.limit);
    const auto start = [wire, options] {
        // Later keywords win over what the DSN says. ISO dates are what Row reads.
        const char* user = options.user.empty() ? nullptr : options.user.c_str();
        const std::array<const char*, 6> keywords{
            "dbname", "fallback_application_name", "client_encoding", "user", nullptr, nullptr};
        const std::array<const char*, 6> values{options.dsn.c_str(), "penguin-mta", "UTF8", user, nullptr, nullptr};
        wire->pg = PQconnectStartParams(keywords.data(), values.data(), 1);
    };
    co_await on_blocking_thread(start);
    if (wire->pg == nullptr) co_return fail(Errc::local_fault, "database: no memory for a connection");
    PQsetNoticeReceiver(wire->pg, [](void*, const PGresult*) {}, nullptr); // else libpq writes to stderr
    PostgresPollingStatusType status =
        PQstatus(wire->pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED) co_return wire->lost(first_line(PQerrorMessage(wire->pg)));
        wire->watch_socket();
        const Result<> ready =
            co_await wire->wait(status == PGRES_POLLING_READING ? asio::posix::stream_descriptor::wait_read
                                                                : asio::posix::stream_descriptor::wait_write);
        if (!ready) co_return std::unexpected{ready.error()};
        status = PQconnectPoll(wire->pg);
    }
    wire->watch_socket();
    if (PQsetnonblocking(wire->pg, 1) != 0 || PQenterPipelineMode(wire->pg) != 1)
        co_return wire->lost(first_line(PQerrorMessage(wire->pg)));
    wire->disarm();
    std::unique_ptr<PgConnection> connection{new PgConnection{wire}};
    const std::vector<Statement> first{{"set datestyle to iso", {}}};
    const Result<std::vector<Rows>> set = co_await connection->run(first, options.limit);
    if (!set) co_return std::unexpected{set.error()};
    co_return connection;
}

awaitable<Result<std::vector<Rows>>> PgConnection::run(const std::vector<Statement>& statements, Duration limit)
{
    const std::shared_ptr<Wire> wire = wire_;
    if (wire->pg == nullptr) co_return fail(Errc::unavailable, "database: the connection is lost");
    assert(!wire->busy);
    wire->failure = {};
    wire->busy = true; // stays so when the coroutine is cancelled: the pool then closes the connection
    wire->arm(std::chrono::steady_clock::now() + limit);
    Result<std::vector<Rows>> all = co_await wire->exchange(statements);
    wire->disarm();
    if (wire->pg == nullptr) co_return all;
    if (!wire->synced && wire->expired) {
        const Result<> drained = co_await wire->cancel_and_drain();
        if (!drained) wire->lost(drained.error().detail);
        // The server's own answer to the cancelling says nothing more; lost or not, the caller ran out of time.
        wire->failure.sqlstate = "57014";
        wire->failure.lost = false;
    } else if (!wire->synced) {
        co_return wire->lost(all.error().detail);
    }
    wire->busy = false;
    co_return all;
}

bool PgConnection::idle() const
{
    return wire_->pg != nullptr && !wire_->busy && PQstatus(wire_->pg) == CONNECTION_OK &&
           PQtransactionStatus(wire_->pg) == PQTRANS_IDLE;
}

bool PgConnection::lost() const { return wire_->pg == nullptr; }

const SqlFailure& PgConnection::failure() const { return wire_->failure; }

} // namespace penguin::control::db
