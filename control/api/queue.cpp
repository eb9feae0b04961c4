// POST /v1/queue/reconcile
#include "control/api/answers.h"
#include "control/api/names.h"
#include "control/api/routes.h"

namespace penguin::control::api {

namespace {

constexpr const char* kNotNow =
    "Not now: PostgreSQL or Redis does not answer, or Redis may have lost data less than a minute"
    " ago and what the nodes hold is not known yet. Then the daemon reconciles by itself.";

Refused not_reconciled(const Request& request, const Error& error)
{
    Refused refused = failed(request, error);
    if (error.code == Errc::unavailable) refused.error().detail = kNotNow;
    return refused;
}

awaitable<Answer> reconcile(ApiDeps& deps, const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) co_return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) co_return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    const PoolName pool{std::string{read_pool_name(body, "pool")}};
    const bool accept = body.boolean("accept_restored_database", false);
    body.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const Result<submit::Reconciled> done = co_await deps.reconcile(pool, accept);
    if (!done) co_return not_reconciled(request, done.error());
    // Not in the transaction of what it did, which is Redis's: without its record it is no success, and may be repeated.
    db::AuditEntry change = change_of(request, "queue.reconciled", {}, "pool/" + pool.value(),
                                      {{"accept_restored_database", accept},
                                       {"batches", done->batches},
                                       {"unfinished", done->unfinished},
                                       {"queued", done->queued}});
    const Result<> noted = co_await note_change(deps, std::move(change));
    if (!noted) co_return failed(request, noted.error());
    co_return json_response(200, json::object{{"pool", pool.value()},
                                              {"batches", done->batches},
                                              {"unfinished", done->unfinished},
                                              {"queued", done->queued}});
}

} // namespace

void register_queue(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add_with_body(Method::post, "/v1/queue/reconcile", "queue:write", reconcile);
}

} // namespace penguin::control::api
