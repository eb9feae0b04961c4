#include "control/ledger/database_age.h"

#include <fmt/format.h>

#include "control/db/tenancy.h"

namespace penguin::control::ledger {

namespace {

constexpr const char* kPosition = "select position, restored from analytics.ledger_positions where pool = $1";
constexpr const char* kRestored =
    "update analytics.ledger_positions set restored = now() where pool = $1 returning position";
constexpr const char* kGiveUp = "update queue.batches set enqueued = total, claimed_until = null,"
                                " state = case state when 'cancelling' then 'cancelled' else 'enqueued' end"
                                " where pool = $1 and state in ('accepted', 'cancelling')";

struct Committed {
    std::string position;
    std::optional<WallTime> restored;
};

awaitable<Result<Committed>> committed_of(db::PgPool& analytics, PoolName pool)
{
    co_return co_await db::as_platform(analytics, [pool](db::Transaction& tx) -> awaitable<Result<Committed>> {
        const Result<db::Rows> rows = co_await tx.query(kPosition, db::Params{pool});
        if (!rows) co_return std::unexpected{rows.error()};
        if (rows->empty()) co_return Committed{};
        co_return Committed{rows->front().get<std::string>("position"),
                            rows->front().get<std::optional<WallTime>>("restored")};
    });
}

queue::StreamPosition parsed(const std::string& text)
{
    return queue::StreamPosition::parse(text).value_or(queue::StreamPosition{});
}

} // namespace

// Redis first: the ledger commits before it tells Redis, so that what is read later is never behind by itself.
awaitable<Result<std::optional<WallTime>>> database_is_current(db::PgPool& analytics, queue::SendQueue& queue,
                                                               PoolName pool)
{
    const Result<std::string> told = co_await queue.ledger_position();
    if (!told) co_return std::unexpected{told.error()};
    const Result<Committed> committed = co_await committed_of(analytics, pool);
    if (!committed) co_return std::unexpected{committed.error()};
    if (parsed(*told) <= parsed(committed->position)) co_return committed->restored;
    co_return fail(
        Errc::conflict,
        fmt::format("PostgreSQL knows the events of pool {} up to {}, Redis was told {}: it was restored from a "
                    "backup. Restore a newer one, or accept it: POST /v1/queue/reconcile with "
                    "accept_restored_database",
                    pool.value(), committed->position.empty() ? "none" : committed->position, *told));
}

awaitable<Result<std::size_t>> accept_restored_database(db::PgPool& queue_tier, db::PgPool& analytics,
                                                        queue::SendQueue& queue, PoolName pool)
{
    const Result<std::optional<WallTime>> current = co_await database_is_current(analytics, queue, pool);
    if (current) co_return std::size_t{0};
    if (current.error().code != Errc::conflict) co_return std::unexpected{current.error()};
    const Result<std::size_t> given_up =
        co_await db::as_platform(queue_tier, [pool](db::Transaction& tx) -> awaitable<Result<std::size_t>> {
            const Result<db::Rows> rows = co_await tx.query(kGiveUp, db::Params{pool});
            if (!rows) co_return std::unexpected{rows.error()};
            co_return rows->affected();
        });
    if (!given_up) co_return given_up;
    const auto mark = [pool](db::Transaction& tx) { return tx.query(kRestored, db::Params{pool}); };
    const Result<db::Rows> marked = co_await db::as_platform(analytics, mark);
    if (!marked) co_return std::unexpected{marked.error()};
    if (marked->empty()) co_return fail(Errc::conflict, "no ledger of this pool has ever run on this database");
    const Result<> set = co_await queue.set_ledger_position(marked->front().get<std::string>("position"));
    if (!set) co_return std::unexpected{set.error()};
    co_return given_up;
}

} // namespace penguin::control::ledger
