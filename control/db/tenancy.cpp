#include "control/db/tenancy.h"

#include <cassert>
#include <iterator>

namespace penguin::control::db {

namespace {

Statement who(const Transaction::Context& context)
{
    if (context.tenant) return {"select set_config('app.current_tenant_id', $1, true)", Params{*context.tenant}};
    return {"select set_config('app.platform', 'on', true)", {}};
}

std::vector<Statement> opening_of(const Transaction::Context& context)
{
    std::vector<Statement> opening{{"begin", {}}};
    opening.push_back(who(context));
    return opening;
}

} // namespace

Transaction::Transaction(PgPool::Lease lease, const PgPool& pool, std::vector<Statement> opening)
    : lease_{std::move(lease)},
      metrics_{&pool.metrics()},
      limit_{pool.options().query_limit},
      opening_{std::move(opening)}
{
}

awaitable<Result<Transaction>> Transaction::begin(PgPool& pool, Context context)
{
    Result<PgPool::Lease> lease = co_await pool.acquire();
    if (!lease) co_return std::unexpected{lease.error()};
    co_return Transaction{std::move(*lease), pool, opening_of(context)};
}

awaitable<Result<std::vector<Rows>>> Transaction::query_all(std::vector<Statement> statements)
{
    assert(!commit_sent_);
    const std::size_t before = begun_ ? 0 : opening_.size();
    if (!begun_) {
        std::ranges::move(statements, std::back_inserter(opening_));
        statements = std::move(opening_);
        begun_ = true;
    }
    Result<std::vector<Rows>> all = co_await lease_->run(statements, limit_);
    if (!all) {
        failure_ = lease_->failure();
        co_return all;
    }
    all->erase(all->begin(), all->begin() + static_cast<std::ptrdiff_t>(before));
    co_return all;
}

awaitable<Result<Rows>> Transaction::query(std::string sql, Params params)
{
    std::vector<Statement> one;
    one.push_back({std::move(sql), std::move(params)});
    Result<std::vector<Rows>> all = co_await query_all(std::move(one));
    if (!all) co_return std::unexpected{all.error()};
    co_return std::move(all->front());
}

awaitable<Result<>> Transaction::commit()
{
    if (!begun_) co_return Result<>{};
    if (!failure_.sqlstate.empty() || failure_.lost)
        co_return fail(Errc::local_fault, "database: a transaction whose statement failed cannot be committed");
    commit_sent_ = true;
    const std::vector<Statement> one{{"commit", {}}};
    const Result<std::vector<Rows>> all = co_await lease_->run(one, limit_);
    if (!all) {
        failure_ = lease_->failure();
        // The server answered: a conflict that it found only now, and nothing was committed.
        if (!failure_.lost) commit_sent_ = false;
        co_return std::unexpected{all.error()};
    }
    if (all->front().command() != "COMMIT")
        co_return fail(Errc::local_fault, "database: the transaction was rolled back");
    for (const auto& tell : at_commit_) tell();
    co_return Result<>{};
}

awaitable<void> Transaction::roll_back()
{
    if (!begun_ || lease_->lost()) co_return;
    const std::vector<Statement> one{{"rollback", {}}};
    // A connection that cannot roll back is not idle, so the pool closes it: the server then rolls back.
    const Result<std::vector<Rows>> ignored = co_await lease_->run(one, limit_);
}

awaitable<Result<std::vector<Rows>>> at_once(PgPool& pool, TenantId tenant, std::vector<Statement> statements)
{
    statements.insert(statements.begin(), who({tenant}));
    for (unsigned attempt = 1;; ++attempt) {
        Result<PgPool::Lease> lease = co_await pool.acquire();
        if (!lease) co_return std::unexpected{lease.error()};
        Result<std::vector<Rows>> all = co_await (*lease)->run(statements, pool.options().query_limit);
        if (all) {
            all->erase(all->begin());
            co_return all;
        }
        if (!repeatable((*lease)->failure()) || attempt == kAttemptsMax) co_return all;
        lease = fail(Errc::unavailable, "repeating"); // gives the connection back before the pause
        co_await sleep_for(kRepeatDelay * attempt);
    }
}

} // namespace penguin::control::db
