// POST, GET, DELETE /v1/suppressions
#include "control/api/answers.h"
#include "control/api/routes.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

json::object shape(const db::Row& row)
{
    return {{"address", row.text("address")},
            {"reason", row.text("reason")},
            {"created_at", to_rfc3339(row.get<WallTime>("created"))}};
}

// How many, never whose.
db::AuditEntry change_of_list(const Request& request, std::string_view action, TenantId tenant, std::size_t count)
{
    return change_of(request, action, tenant, "suppressions", {{"count", count}});
}

awaitable<Answer> create(ApiDeps& deps, const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) co_return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) co_return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    const auto address = body.address("address");
    const std::string reason{body.optional_text("reason", {.max = 200}).value_or("")};
    body.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};

    const TenantId tenant = *request.principal->tenant;
    const auto kept =
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            std::vector<db::NewSuppression> added(1);
            added.front() = db::NewSuppression{tenant, address->folded(), reason, ""};
            const auto count = co_await db::add_suppressions(tx, std::move(added), wall_now());
            if (!count) co_return std::unexpected{count.error()};
            db::Params params{tenant, address->folded()};
            auto rows = co_await tx.query(
                "select address, reason, created from control.suppressions where tenant_id = $1 and address = $2",
                std::move(params));
            if (!rows || *count == 0) co_return rows;
            const Result<> noted =
                co_await db::append_audit(tx, change_of_list(request, "suppression.added", tenant, *count));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return rows;
        });
    if (!kept) co_return failed(request, kept.error());
    co_return json_response(201, shape(kept->front()));
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::vector<std::string> after = query.cursor(1);
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const TenantId tenant = *request.principal->tenant;
    const auto rows =
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{tenant, after.empty() ? std::string{} : after.front(), limit + 1};
            co_return co_await tx.query("select address, reason, created from control.suppressions "
                                        "where tenant_id = $1 and address > $2 order by address limit $3",
                                        std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape,
                      [](const db::Row& row) { return std::vector<std::string>{std::string{row.text("address")}}; });
}

awaitable<Answer> remove(ApiDeps& deps, const Request& request)
{
    const Result<EmailAddress> address = EmailAddress::parse(request.param("address"));
    if (!address) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const auto removed =
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<>> {
            const Result<> gone = co_await db::remove_suppression(tx, tenant, address->folded());
            if (!gone) co_return gone;
            co_return co_await db::append_audit(tx, change_of_list(request, "suppression.removed", tenant, 1));
        });
    if (!removed) co_return failed(request, removed.error());
    co_return no_content();
}

} // namespace

void register_suppressions(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::tenant};
    routes.add_with_body(Method::post, "/v1/suppressions", "suppressions:write", create);
    routes.add(Method::get, "/v1/suppressions", "suppressions:read", list);
    routes.add(Method::del, "/v1/suppressions/{address}", "suppressions:write", remove);
}

} // namespace penguin::control::api
