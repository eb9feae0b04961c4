// POST, GET /v1/batches, GET /v1/batches/{batch}, POST /v1/batches/{batch}/cancel
#include <map>

#include "control/api/answers.h"
#include "control/api/batch_reader.h"
#include "control/api/counts.h"
#include "control/api/routes.h"
#include "control/db/tenancy.h"

namespace penguin::control::api {

namespace {

json::object shape_of(const submit::Accepted& accepted)
{
    json::array refused;
    for (const submit::Refusal& refusal : accepted.refused) {
        refused.push_back({{"index", refusal.index},
                           {"email", refusal.email},
                           {"code", name_of(refusal.code)},
                           {"detail", refusal.detail}});
    }
    return {{"id", accepted.batch.value().text()},
            {"accepted", accepted.count},
            {"refused", accepted.refused.size()},
            {"refused_recipients", std::move(refused)}};
}

awaitable<Answer> create(ApiDeps& deps, const Request& request)
{
    auto batch = read_batch(request);
    if (!batch) co_return Refused{batch.error()};
    const char* const content = std::holds_alternative<RawContent>(batch->content) ? "raw" : "template";
    const auto accepted = co_await deps.acceptance.accept(std::move(*batch), wall_now());
    if (!accepted) co_return Refused{problem_of(accepted.error(), content)};
    http::Fields headers{{"Location", "/v1/batches/" + accepted->batch.value().text()}};
    if (accepted->repeated) headers.emplace_back("Idempotency-Replayed", "true");
    co_return json_response(202, shape_of(*accepted), std::move(headers));
}

using CountsOf = std::map<Uuid, Counts>;

// A batch without any event yet has no row.
awaitable<Result<CountsOf>> counts_of(ApiDeps& deps, TenantId tenant, std::vector<Uuid> batches)
{
    co_return co_await db::as_tenant(
        deps.database.analytics, tenant, [&](db::Transaction& tx) -> awaitable<Result<CountsOf>> {
            db::Params params{tenant, batches};
            const auto rows =
                co_await tx.query("select batch_id, delivered, bounced, deferred, expired, suppressed, cancelled "
                                  "from analytics.batch_counts where tenant_id = $1 and batch_id = any($2::uuid[])",
                                  std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            CountsOf counts;
            for (const db::Row row : *rows) counts[row.get<Uuid>("batch_id")] = counts_in(row);
            co_return counts;
        });
}

json::object shape(const db::Row& row, const Counts& counts)
{
    return {{"id", row.get<Uuid>("id").text()},
            {"campaign_id", id_or_null(row.get<std::optional<CampaignId>>("campaign_id"))},
            {"mailbox_id", id_or_null(row.get<std::optional<MailboxId>>("mailbox_id"))},
            {"created_at", to_rfc3339(row.get<WallTime>("created"))},
            {"counts", shape_of(row.get<std::int64_t>("total"), counts)}};
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::optional<Uuid> after = query.uuid_cursor();
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const TenantId tenant = *request.principal->tenant;
    const auto rows =
        co_await db::as_tenant(deps.database.queue, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{tenant, after, limit + 1};
            co_return co_await tx.query(
                "select id, campaign_id, mailbox_id, created, total from queue.batches "
                "where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
                std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    std::vector<Uuid> ids;
    for (const db::Row row : *rows) ids.push_back(row.get<Uuid>("id"));
    const Result<CountsOf> counts = co_await counts_of(deps, tenant, std::move(ids));
    if (!counts) co_return failed(request, counts.error());
    co_return page_of(
        *rows, limit,
        [&](const db::Row& row) {
            const auto of_batch = counts->find(row.get<Uuid>("id"));
            return shape(row, of_batch == counts->end() ? Counts{} : of_batch->second);
        },
        [](const db::Row& row) { return std::vector<std::string>{row.get<Uuid>("id").text()}; });
}

awaitable<Result<db::Rows>> find(ApiDeps& deps, TenantId tenant, Uuid id)
{
    co_return co_await db::as_tenant(
        deps.database.queue, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{tenant, id};
            auto rows = co_await tx.query("select id, campaign_id, mailbox_id, created, total from queue.batches "
                                          "where tenant_id = $1 and id = $2",
                                          std::move(params));
            if (rows && rows->empty()) co_return fail(Errc::not_found, "no such batch");
            co_return rows;
        });
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("batch"));
    if (!id) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const Result<db::Rows> rows = co_await find(deps, tenant, *id);
    if (!rows) co_return failed(request, rows.error());
    std::vector<Uuid> ids(1, *id);
    const Result<CountsOf> counts = co_await counts_of(deps, tenant, std::move(ids));
    if (!counts) co_return failed(request, counts.error());
    co_return json_response(200, shape(rows->front(), counts->empty() ? Counts{} : counts->begin()->second));
}

awaitable<Answer> cancel(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("batch"));
    if (!id) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const Result<db::Rows> rows = co_await find(deps, tenant, *id);
    if (!rows) co_return failed(request, rows.error());
    const Result<std::size_t> cancelled = co_await deps.cancel_batch(tenant, BatchId{*id});
    if (!cancelled) co_return failed(request, cancelled.error());
    // Not in the transaction of what it did, which is Redis's: without its record it is no success, and may be repeated.
    db::AuditEntry change =
        change_of(request, "batch.cancelled", tenant, "batch/" + id->text(), {{"cancelled", *cancelled}});
    const Result<> noted = co_await note_change(deps, std::move(change));
    if (!noted) co_return failed(request, noted.error());
    co_return json_response(200, json::object{{"id", id->text()}, {"cancelled", *cancelled}});
}

} // namespace

void register_batches(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::tenant};
    routes.add_with_body(Method::post, "/v1/batches", "batches:write", create, http::kBatchBodyMax);
    routes.add(Method::get, "/v1/batches", "batches:read", list);
    routes.add(Method::get, "/v1/batches/{batch}", "batches:read", get);
    routes.add(Method::post, "/v1/batches/{batch}/cancel", "batches:write", cancel);
}

} // namespace penguin::control::api
