// GET /v1/campaigns, GET /v1/campaigns/{campaign}, POST /v1/campaigns/{campaign}/pause, resume, cancel
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/counts.h"
#include "control/api/routes.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

constexpr std::size_t kStoppedMax = 10'000;        // campaigns of a tenant that the settings of all nodes may hold
constexpr std::size_t kBatchesCountedMax = 10'000; // of a campaign; the counts of a larger one would cost too much

constexpr const char* kActive = "active";
constexpr const char* kCancelled = "cancelled";

// One that is in this state already, or cancelled, stays as it is.
constexpr const char* kStop =
    "insert into control.campaigns as c (tenant_id, id, state, changed, sweep_after)"
    " values ($1, $2, $3, now(), case when $3 = 'cancelled' then now() end)"
    " on conflict (tenant_id, id) do update"
    " set state = excluded.state, changed = excluded.changed, sweep_after = excluded.sweep_after"
    " where c.state not in (excluded.state, 'cancelled') returning id, state, changed";
constexpr const char* kResume = "update control.campaigns set state = $3, changed = now()"
                                " where tenant_id = $1 and id = $2 and state = 'paused' returning id, state, changed";
constexpr const char* kFind = "select id, state, changed from control.campaigns where tenant_id = $1 and id = $2";
constexpr const char* kStopped =
    "select count(*) as n from control.campaigns where tenant_id = $1 and (state = 'paused'"
    " or (state = 'cancelled' and changed > now() - make_interval(secs => $2)))";

json::object shape(const db::Row& row)
{
    return {{"id", row.get<Uuid>("id").text()},
            {"state", row.text("state")},
            {"changed_at", to_rfc3339(row.get<WallTime>("changed"))}};
}

// Nobody has stopped it yet.
json::object shape_of_active(const Uuid& id)
{
    return {{"id", id.text()}, {"state", kActive}, {"changed_at", nullptr}};
}

json::object shape_of(const Uuid& id, const db::Rows& found)
{
    return found.empty() ? shape_of_active(id) : shape(found.front());
}

// Errors: conflict (the tenant has stopped too many).
awaitable<Result<>> check_bound(db::Transaction& tx, TenantId tenant)
{
    const std::chrono::duration<double> kept = db::kCancelledKept;
    const auto stopped = co_await tx.query(kStopped, db::Params{tenant, kept.count()});
    if (!stopped) co_return std::unexpected{stopped.error()};
    if (stopped->front().get<std::size_t>("n") <= kStoppedMax) co_return Result<>{};
    co_return fail(Errc::conflict, fmt::format("At most {} campaigns of a tenant may be paused, or cancelled in the "
                                               "last {} days.",
                                               kStoppedMax, db::kCancelledKept / std::chrono::days{1}));
}

// Gives its row; none: it is active and never was anything else.
awaitable<Result<db::Rows>> change_state(db::Transaction& tx, const Request& request, Uuid id, std::string state)
{
    const TenantId tenant = *request.principal->tenant;
    const bool stops = state != kActive;
    auto moved = co_await tx.query(stops ? kStop : kResume, db::Params{tenant, id, state});
    if (!moved) co_return std::unexpected{moved.error()};
    if (moved->empty()) {
        auto there = co_await tx.query(kFind, db::Params{tenant, id});
        if (there && !there->empty() && state != kCancelled && there->front().text("state") == kCancelled)
            co_return fail(Errc::conflict, "The campaign is cancelled, which is final.");
        co_return there;
    }
    if (stops)
        if (Result<> fine = co_await check_bound(tx, tenant); !fine) co_return std::unexpected{fine.error()};
    const std::string action = stops ? "campaign." + state : "campaign.resumed";
    const Result<> noted =
        co_await db::settings_changed(tx, change_of(request, action, tenant, "campaign/" + id.text()));
    if (!noted) co_return std::unexpected{noted.error()};
    co_return moved;
}

awaitable<Answer> set_state(ApiDeps& deps, const Request& request, const char* state)
{
    const Result<Uuid> id = Uuid::parse(request.param("campaign"));
    if (!id) co_return Refused{http::not_found()};
    const auto found =
        co_await db::as_tenant(deps.database.control, *request.principal->tenant,
                               [&](db::Transaction& tx) { return change_state(tx, request, *id, state); });
    if (!found) co_return failed(request, found.error());
    co_return json_response(200, shape_of(*id, *found));
}

awaitable<Answer> pause(ApiDeps& deps, const Request& request) { return set_state(deps, request, "paused"); }
awaitable<Answer> resume(ApiDeps& deps, const Request& request) { return set_state(deps, request, kActive); }
awaitable<Answer> cancel(ApiDeps& deps, const Request& request) { return set_state(deps, request, kCancelled); }

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
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{tenant, after, limit + 1};
            co_return co_await tx.query("select id, state, changed from control.campaigns where tenant_id = $1"
                                        " and ($2::uuid is null or id > $2) order by id limit $3",
                                        std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape,
                      [](const db::Row& row) { return std::vector<std::string>{row.get<Uuid>("id").text()}; });
}

struct Batches {
    std::vector<Uuid> ids; // one more than kBatchesCountedMax: there are too many to count
    std::int64_t messages = 0;
};

awaitable<Result<Batches>> batches_of(ApiDeps& deps, TenantId tenant, Uuid id)
{
    co_return co_await db::as_tenant(
        deps.database.queue, tenant, [&](db::Transaction& tx) -> awaitable<Result<Batches>> {
            const auto rows = co_await tx.query(
                "select id, total from queue.batches where tenant_id = $1 and campaign_id = $2 order by id limit $3",
                db::Params{tenant, id, kBatchesCountedMax + 1});
            if (!rows) co_return std::unexpected{rows.error()};
            Batches batches;
            for (const db::Row row : *rows) {
                batches.ids.push_back(row.get<Uuid>("id"));
                batches.messages += row.get<std::int64_t>("total");
            }
            co_return batches;
        });
}

awaitable<Result<Counts>> counts_of(ApiDeps& deps, TenantId tenant, const Batches& batches)
{
    co_return co_await db::as_tenant(
        deps.database.analytics, tenant, [&](db::Transaction& tx) -> awaitable<Result<Counts>> {
            const auto rows = co_await tx.query(
                "select coalesce(sum(delivered), 0)::bigint as delivered, coalesce(sum(bounced), 0)::bigint as bounced,"
                " coalesce(sum(deferred), 0)::bigint as deferred, coalesce(sum(expired), 0)::bigint as expired,"
                " coalesce(sum(suppressed), 0)::bigint as suppressed, coalesce(sum(cancelled), 0)::bigint as cancelled"
                " from analytics.batch_counts where tenant_id = $1 and batch_id = any($2::uuid[])",
                db::Params{tenant, batches.ids});
            if (!rows) co_return std::unexpected{rows.error()};
            co_return counts_in(rows->front());
        });
}

awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("campaign"));
    if (!id) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const auto found = co_await db::as_tenant(
        deps.database.control, tenant, [&](db::Transaction& tx) { return tx.query(kFind, db::Params{tenant, *id}); });
    if (!found) co_return failed(request, found.error());
    const Result<Batches> batches = co_await batches_of(deps, tenant, *id);
    if (!batches) co_return failed(request, batches.error());
    if (found->empty() && batches->ids.empty()) co_return Refused{http::not_found()};
    json::object body = shape_of(*id, *found);
    body["counts"] = nullptr;
    if (batches->ids.size() > kBatchesCountedMax) co_return json_response(200, body);
    const Result<Counts> counts = co_await counts_of(deps, tenant, *batches);
    if (!counts) co_return failed(request, counts.error());
    body["counts"] = api::shape_of(batches->messages, *counts);
    co_return json_response(200, body);
}

} // namespace

void register_campaigns(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::tenant};
    routes.add(Method::get, "/v1/campaigns", "campaigns:read", list);
    routes.add(Method::get, "/v1/campaigns/{campaign}", "campaigns:read", get);
    routes.add(Method::post, "/v1/campaigns/{campaign}/pause", "campaigns:write", pause);
    routes.add(Method::post, "/v1/campaigns/{campaign}/resume", "campaigns:write", resume);
    routes.add(Method::post, "/v1/campaigns/{campaign}/cancel", "campaigns:write", cancel);
}

} // namespace penguin::control::api
