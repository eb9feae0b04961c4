#include "control/submit/submission_group.h"

#include <algorithm>
#include <map>

#include "control/db/tenancy.h"
#include "engine/base/crash_point.h"

namespace penguin::control::submit {

namespace {

using Kind = BatchRefused::Kind;
using Found = std::map<std::string, db::Row>; // by key

TenantId tenant_of(const Group& group) { return group.front()->batch.tenant; }

bool has_key(const Submission* one) { return !one->batch.idempotency_key.empty(); }

void drop_answered(Group& group)
{
    std::erase_if(group, [](const Submission* one) { return one->answer.has_value(); });
}

void answer_all(const Group& group, const Error& error)
{
    for (Submission* one : group) one->answer = refuse(error);
}

void answer_full(const Group& group)
{
    for (Submission* one : group)
        one->answer =
            refuse(Kind::backlog_full, "So much accepted mail waits for its queue that no more is taken now.");
}

std::size_t accepted_of(const Group& group)
{
    std::size_t messages = 0;
    for (const Submission* one : group)
        if (one->answer && *one->answer && !(*one->answer)->repeated) messages += (*one->answer)->count;
    return messages;
}

Found by_key(const db::Rows& rows)
{
    Found found;
    for (const db::Row row : rows) found.emplace(key_in(row), row);
    return found;
}

// Those whose key has an earlier batch.
void answer_from(const Found& found, const Group& group)
{
    for (Submission* one : group) {
        const auto before = found.find(one->batch.idempotency_key);
        if (before != found.end()) one->answer = answer_again(before->second, one->batch.request_hash);
    }
}

awaitable<Result<>> answer_known_keys(db::PgPool& queue, Group group)
{
    std::erase_if(group, [](const Submission* one) { return !has_key(one); });
    if (group.empty()) co_return Result<>{};
    std::vector<db::Statement> ask;
    ask.push_back(find_by_key(group));
    const Result<std::vector<db::Rows>> rows = co_await db::at_once(queue, tenant_of(group), std::move(ask));
    if (!rows) co_return std::unexpected{rows.error()};
    answer_from(by_key(rows->front()), group);
    co_return Result<>{};
}

awaitable<Result<Standing>> standing_of(db::PgPool& control, const Group& group)
{
    const Result<std::vector<db::Rows>> rows =
        co_await db::at_once(control, tenant_of(group), standing_statements(group));
    if (!rows) co_return std::unexpected{rows.error()};
    co_return standing_in(*rows);
}

awaitable<Result<>> store_contents(db::PgPool& content, const Group& group)
{
    std::vector<db::Statement> write;
    write.push_back(content_statement(group));
    const Result<std::vector<db::Rows>> written = co_await db::at_once(content, tenant_of(group), std::move(write));
    if (!written) co_return std::unexpected{written.error()};
    co_return Result<>{};
}

void answer_written(const db::Rows& rows, const Group& group)
{
    std::set<BatchId> written;
    for (const db::Row row : rows) written.insert(row.get<BatchId>("id"));
    for (Submission* one : group)
        if (written.contains(one->id))
            one->answer = Accepted{one->id, one->total, std::move(one->batch.refused), false};
}

// A batch that was not written is there already: its own (the answer to a first run was lost), or one of its key.
awaitable<Result<>> store_batches(db::PgPool& queue, Group group, PoolName pool)
{
    const TenantId tenant = tenant_of(group);
    std::vector<db::Statement> write;
    write.push_back(batch_statement(group, pool));
    const Result<std::vector<db::Rows>> rows = co_await db::at_once(queue, tenant, std::move(write));
    if (!rows) co_return std::unexpected{rows.error()};
    answer_written(rows->front(), group);
    drop_answered(group);
    if (group.empty()) co_return Result<>{};
    std::vector<db::Statement> ask;
    ask.push_back(find_by_id(group));
    ask.push_back(find_by_key(group));
    const Result<std::vector<db::Rows>> there = co_await db::at_once(queue, tenant, std::move(ask));
    if (!there) co_return std::unexpected{there.error()};
    answer_written(there->front(), group);
    drop_answered(group);
    answer_from(by_key(there->back()), group);
    drop_answered(group);
    for (Submission* one : group) one->answer = refuse(Kind::fault, "a batch with this idempotency key came and went");
    co_return Result<>{};
}

awaitable<Result<>> store(db::Database& database, const Group& group, PoolName pool)
{
    crash_point("submit.content.before");
    Result<> stored = co_await store_contents(database.content, group);
    if (!stored) co_return stored;
    crash_point("submit.content.after");
    crash_point("submit.batch.before");
    stored = co_await store_batches(database.queue, group, pool);
    crash_point("submit.batch.after");
    co_return stored;
}

// Whether each alone may do better: the fault may be in one of them.
bool to_be_tried_alone(const Error& error, const Group& group)
{
    return group.size() > 1 && refuse(error).error().kind == Kind::fault;
}

} // namespace

awaitable<void> accept_together(db::Database& database, Backlog* backlog, Group group)
{
    const Result<> looked = co_await answer_known_keys(database.queue, group);
    Result<Standing> known = Standing{};
    if (looked) {
        drop_answered(group);
        if (group.empty()) co_return;
        known = co_await standing_of(database.control, group);
    } else {
        known = std::unexpected{looked.error()};
    }
    if (!known && to_be_tried_alone(known.error(), group)) {
        for (Submission* one : group) co_await accept_together(database, backlog, {one});
        co_return;
    }
    if (!known) co_return answer_all(group, known.error());
    for (Submission* one : group) judge(*one, *known);
    drop_answered(group);
    if (backlog != nullptr && !group.empty() && backlog->refuses(known->pool)) co_return answer_full(group);
    if (group.empty()) co_return;

    const Group all = group;
    const Result<> stored = co_await store(database, group, known->pool);
    drop_answered(group);
    if (!stored && to_be_tried_alone(stored.error(), group)) {
        for (Submission* one : group) {
            const Result<> alone = co_await store(database, {one}, known->pool);
            if (!alone && !one->answer) one->answer = refuse(alone.error());
        }
    } else if (!stored) {
        answer_all(group, stored.error());
    }
    if (backlog != nullptr) backlog->add(known->pool, accepted_of(all));
}

} // namespace penguin::control::submit
