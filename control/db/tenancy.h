// control/db/tenancy.h
// Who a transaction works for. The only file that knows how PostgreSQL is told (dialect `rls`: row-level security reads
// app.current_tenant_id and app.platform, set for this transaction alone).
//
//   as_tenant     sees and changes rows of this tenant, none of another
//   as_platform   for platform tables, tenants, and the look-up of an API key whose tenant is not known yet; sees no
//                 other tenant rows under pm_api. Under pm_worker it is the plain transaction of pump, ledger, snapshot.
//
//   at_once       statements of a tenant that are all known before the first answer: one flush, which is one transaction by
//                 itself (no BEGIN, no COMMIT): one round trip to the server instead of two
//
//   use           Result<Tenant> t = co_await as_platform(db.control, [&](Transaction& tx) -> awaitable<Result<Tenant>> {...});
//   work          may be run up to kAttemptsMax times (serialization failure, deadlock, connection lost before COMMIT was
//                 sent): it must have no effect but in the transaction. Its value commits, its error and an exception
//                 roll back.
//                 at_once may repeat statements that were committed and whose answer was lost: each must be idempotent
//   errors        the work's own; those of sql_error.h; unavailable with a lost COMMIT: it may have happened, so what
//                 a client repeats must be idempotent
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "control/db/pg_pool.h"

namespace penguin::control::db {

inline constexpr unsigned kAttemptsMax = 3;                  // runs of one piece of work
inline constexpr std::chrono::milliseconds kRepeatDelay{20}; // times the attempt's number

class Transaction {
public:
    // One statement.
    awaitable<Result<Rows>> query(std::string sql, Params params = {});
    // Several in one flush; one Rows each. The first error stops those behind it.
    awaitable<Result<std::vector<Rows>>> query_all(std::vector<Statement> statements);
    // SQLSTATE and constraint of the statement that failed last. After a failure the transaction can only end.
    const SqlFailure& failure() const { return failure_; }
    // `tell` is called once, when the COMMIT has been answered; never after a rollback or when its answer is lost.
    void at_commit(std::function<void()> tell) { at_commit_.push_back(std::move(tell)); }
    Registry& metrics() const { return *metrics_; }

    // Called by the functions below.
    struct Context {
        std::optional<TenantId> tenant; // nothing: platform
    };
    static awaitable<Result<Transaction>> begin(PgPool& pool, Context context);
    awaitable<Result<>> commit();
    awaitable<void> roll_back();
    bool may_repeat() const { return !commit_sent_ && repeatable(failure_); }

private:
    Transaction(PgPool::Lease lease, const PgPool& pool, std::vector<Statement> opening);
    PgPool::Lease lease_;
    Registry* metrics_;
    Duration limit_;
    std::vector<Statement> opening_; // BEGIN and who we are: go out with the first statement
    std::vector<std::function<void()>> at_commit_;
    SqlFailure failure_;
    bool begun_ = false;
    bool commit_sent_ = false;
};

template <class Work>
std::invoke_result_t<Work&, Transaction&> in_transaction(PgPool& pool, Transaction::Context context, Work work)
{
    for (unsigned attempt = 1;; ++attempt) {
        Result<Transaction> transaction = co_await Transaction::begin(pool, context);
        if (!transaction) co_return std::unexpected{transaction.error()};
        auto result = co_await work(*transaction);
        Result<> committed;
        if (result)
            committed = co_await transaction->commit();
        else
            co_await transaction->roll_back();
        if (result && committed) co_return result;
        if (transaction->may_repeat() && attempt < kAttemptsMax) {
            transaction = fail(Errc::unavailable, "repeating"); // gives the connection back before the pause
            co_await sleep_for(kRepeatDelay * attempt);
            continue;
        }
        if (result) co_return std::unexpected{committed.error()};
        co_return result;
    }
}

template <class Work>
auto as_tenant(PgPool& pool, TenantId tenant, Work work)
{
    return in_transaction(pool, Transaction::Context{tenant}, std::move(work));
}

template <class Work>
auto as_platform(PgPool& pool, Work work)
{
    return in_transaction(pool, Transaction::Context{}, std::move(work));
}

// One Rows for each statement, each of which is idempotent.
awaitable<Result<std::vector<Rows>>> at_once(PgPool& pool, TenantId tenant, std::vector<Statement> statements);

} // namespace penguin::control::db
