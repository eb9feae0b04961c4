// GET /v1/campaigns, GET /v1/campaigns/{campaign}, POST /v1/campaigns/{campaign}/pause, resume, cancel, window; DELETE window
#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/counts.h"
#include "control/api/routes.h"
#include "control/api/sending_windows.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

constexpr std::size_t kHeldMax = 10'000;           // campaigns of a tenant that the settings of all nodes may hold
constexpr std::size_t kBatchesCountedMax = 10'000; // of a campaign; the counts of a larger one would cost too much

constexpr const char* kActive = "active";
constexpr const char* kCancelled = "cancelled";

// One that is in this state already, or cancelled, stays as it is.
constexpr const char* kStop =
    "insert into control.campaigns as c (tenant_id, id, state, changed, sweep_after)"
    " values ($1, $2, $3, now(), case when $3 = 'cancelled' then now() end)"
    " on conflict (tenant_id, id) do update"
    " set state = excluded.state, changed = excluded.changed, sweep_after = excluded.sweep_after"
    " where c.state not in (excluded.state, 'cancelled') returning id, state, changed, sending_window";
constexpr const char* kResume =
    "update control.campaigns set state = $3, changed = now()"
    " where tenant_id = $1 and id = $2 and state = 'paused' returning id, state, changed, sending_window";
constexpr const char* kFind =
    "select id, state, changed, sending_window from control.campaigns where tenant_id = $1 and id = $2";
constexpr const char* kSetWindow =
    "insert into control.campaigns as c (tenant_id, id, state, changed, sending_window) values ($1, $2, 'active', "
    "now(), $3)"
    " on conflict (tenant_id, id) do update set sending_window = excluded.sending_window, changed = now()"
    " where c.sending_window is distinct from excluded.sending_window returning id, state, changed, sending_window";
constexpr const char* kTakeWindow = "update control.campaigns set sending_window = null, changed = now()"
                                    " where tenant_id = $1 and id = $2 and sending_window is not null returning id";
constexpr const char* kHeld = "select count(*) as n from control.campaigns where tenant_id = $1 and (state = 'paused' "
                              "or sending_window is not null"
                              " or (state = 'cancelled' and changed > now() - make_interval(secs => $2)))";

json::object shape(const db::Row& row)
{
    return {{"id", row.get<Uuid>("id").text()},
            {"state", row.text("state")},
            {"changed_at", to_rfc3339(row.get<WallTime>("changed"))},
            {"window", shape_of_window(row.get<std::optional<std::string>>("sending_window"))}};
}

// Nobody has changed it yet.
json::object shape_of_active(const Uuid& id)
{
    return {{"id", id.text()}, {"state", kActive}, {"changed_at", nullptr}, {"window", nullptr}};
}

json::object shape_of(const Uuid& id, const db::Rows& found)
{
    return found.empty() ? shape_of_active(id) : shape(found.front());
}

// Errors: conflict (the settings hold too many of the tenant).
awaitable<Result<>> check_bound(db::Transaction& tx, TenantId tenant)
{
    const std::chrono::duration<double> kept = db::kCancelledKept;
    const auto held = co_await tx.query(kHeld, db::Params{tenant, kept.count()});
    if (!held) co_return std::unexpected{held.error()};
    if (held->front().get<std::size_t>("n") <= kHeldMax) co_return Result<>{};
    co_return fail(Errc::conflict,
                   fmt::format("At most {} campaigns of a tenant may be paused, have a sending window, or "
                               "be cancelled in the last {} days.",
                               kHeldMax, db::kCancelledKept / std::chrono::days{1}));
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

// Gives its row. One that has this very window stays as it is.
awaitable<Result<db::Rows>> change_window(db::Transaction& tx, const Request& request, Uuid id,
                                          const policy::SendingWindow& window)
{
    const TenantId tenant = *request.principal->tenant;
    auto moved = co_await tx.query(kSetWindow, db::Params{tenant, id, window.text()});
    if (!moved) co_return std::unexpected{moved.error()};
    if (moved->empty()) co_return co_await tx.query(kFind, db::Params{tenant, id});
    if (Result<> fine = co_await check_bound(tx, tenant); !fine) co_return std::unexpected{fine.error()};
    const Result<> noted = co_await db::settings_changed(
        tx, change_of(request, "campaign.window_set", tenant, "campaign/" + id.text(), {{"window", window.text()}}));
    if (!noted) co_return std::unexpected{noted.error()};
    co_return moved;
}

awaitable<Answer> set_window(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("campaign"));
    if (!id) co_return Refused{http::not_found()};
    const auto document = http::parse_json(request.body);
    if (!document) co_return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) co_return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    const std::optional<policy::SendingWindow> window = read_window(body);
    if (!window) co_return Refused{std::move(issues).problem()};
    const auto found =
        co_await db::as_tenant(deps.database.control, *request.principal->tenant,
                               [&](db::Transaction& tx) { return change_window(tx, request, *id, *window); });
    if (!found) co_return failed(request, found.error());
    co_return json_response(200, shape_of(*id, *found));
}

awaitable<Answer> take_window(ApiDeps& deps, const Request& request)
{
    const Result<Uuid> id = Uuid::parse(request.param("campaign"));
    if (!id) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const auto taken =
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<>> {
            const auto moved = co_await tx.query(kTakeWindow, db::Params{tenant, *id});
            if (!moved) co_return std::unexpected{moved.error()};
            if (moved->empty()) co_return Result<>{};
            co_return co_await db::settings_changed(
                tx, change_of(request, "campaign.window_removed", tenant, "campaign/" + id->text()));
        });
    if (!taken) co_return failed(request, taken.error());
    co_return no_content();
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
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{tenant, after, limit + 1};
            co_return co_await tx.query(
                "select id, state, changed, sending_window from control.campaigns where tenant_id = $1"
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
    routes.add_with_body(Method::post, "/v1/campaigns/{campaign}/window", "campaigns:write", set_window);
    routes.add(Method::del, "/v1/campaigns/{campaign}/window", "campaigns:write", take_window);
}

} // namespace penguin::control::api
