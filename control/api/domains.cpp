// POST, GET, DELETE /v1/domains and POST /v1/domains/{domain}/verify
#include <boost/json/serialize.hpp>

#include "control/api/answers.h"
#include "control/api/domain_records.h"
#include "control/api/new_domain.h"
#include "control/api/routes.h"
#include "control/db/settings_version.h"
#include "control/domains/verification.h"

namespace penguin::control::api {

namespace {

std::expected<NewDomain, Problem> read_domain(const ApiDeps& deps, const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    const auto name = body.domain("name");
    const bool ed25519 = body.boolean("ed25519", false);
    body.finish();
    if (name && !name->text().contains('.')) body.issue("name", "bad_format", "must have at least two labels");
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    const Result<DomainName> bounce_host = DomainName::parse(deps.domains.bounce_label + "." + name->text());
    if (!bounce_host) return Refused{http::invalid("name", "too_long", "leaves no room for the bounce host")};
    return NewDomain{*name, *bounce_host, ed25519};
}

awaitable<Answer> create(ApiDeps& deps, const Request& request)
{
    const auto wanted = read_domain(deps, request);
    if (!wanted) co_return Refused{wanted.error()};
    const TenantId tenant = *request.principal->tenant;
    auto addresses = co_await sending_addresses(deps, tenant);
    if (!addresses) co_return failed(request, addresses.error());
    if (addresses->empty() && !deps.domains.spf_include)
        co_return Refused{
            Problem{.code = Code::conflict, .detail = "The tenant's pool has no source that SPF could name."}};
    const Result<StoredDomain> domain = co_await make_domain(deps, request, tenant, *wanted);
    if (!domain && domain.error().code == Errc::conflict)
        co_return Refused{Problem{.code = Code::conflict, .detail = "You have this domain already."}};
    if (!domain) co_return failed(request, domain.error());
    const auto records = records_to_publish(setup_of(deps, *domain, std::move(*addresses)));
    if (!records) co_return failed(request, records.error());
    co_return json_response(201, shape_of(*domain, *records), {{"Location", "/v1/domains/" + domain->name.text()}});
}

json::object summary(const db::Row& row)
{
    const auto verified = row.get<std::optional<WallTime>>("verified");
    return {{"name", row.text("name")},
            {"verified", verified.has_value()},
            {"verified_at", time_or_null(verified)},
            {"bounce_host", row.text("bounce_host")},
            {"created_at", to_rfc3339(row.get<WallTime>("created"))}};
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
            co_return co_await tx.query("select name, bounce_host, verified, created from control.domains "
                                        "where tenant_id = $1 and name > $2 order by name limit $3",
                                        std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, summary,
                      [](const db::Row& row) { return std::vector<std::string>{std::string{row.text("name")}}; });
}

// A domain whose pool has lost its last source is shown without records: there is nothing to publish for it now.
awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    const Result<DomainName> name = DomainName::parse(request.param("domain"));
    if (!name) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const Result<StoredDomain> domain = co_await find_domain(deps, tenant, *name);
    if (!domain) co_return failed(request, domain.error());
    auto addresses = co_await sending_addresses(deps, tenant);
    if (!addresses) co_return failed(request, addresses.error());
    const auto records = records_to_publish(setup_of(deps, *domain, std::move(*addresses)));
    co_return json_response(200, shape_of(*domain, records.value_or(std::vector<DnsRecord>{})));
}

awaitable<Answer> remove(ApiDeps& deps, const Request& request)
{
    const Result<DomainName> name = DomainName::parse(request.param("domain"));
    if (!name) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const auto deleted =
        co_await db::as_tenant(deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<>> {
            db::Params params{tenant, name->text()};
            const auto rows =
                co_await tx.query("delete from control.domains where tenant_id = $1 and name = $2", std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            if (rows->affected() == 0) co_return fail(Errc::not_found, "no such domain");
            db::AuditEntry change = change_of(request, "domain.deleted", tenant, "domain/" + name->text());
            co_return co_await db::settings_changed(tx, std::move(change));
        });
    if (!deleted) co_return failed(request, deleted.error());
    co_return no_content();
}

json::array shape_of_checks(const Verification& verification)
{
    json::array checks;
    for (const RecordCheck& check : verification.checks) {
        json::object shown = shape_of(check.record);
        shown["status"] = name_of(check.status);
        shown["detail"] = check.detail;
        json::array found;
        for (const std::string& text : check.found) found.emplace_back(text);
        shown["found"] = std::move(found);
        checks.emplace_back(std::move(shown));
    }
    return checks;
}

// Gives whether the domain is verified now. A DNS that did not answer leaves it as it was.
awaitable<Result<bool>> note_verification(ApiDeps& deps, const Request& request, TenantId tenant,
                                          const StoredDomain& domain, const Verification& verification)
{
    const Standing standing = verification.standing();
    const std::string checks = json::serialize(shape_of_checks(verification));
    co_return co_await db::as_tenant(
        deps.database.control, tenant, [&](db::Transaction& tx) -> awaitable<Result<bool>> {
            db::Params which{tenant, domain.id};
            const auto found = co_await tx.query(
                "select verified from control.domains where tenant_id = $1 and id = $2 for update", std::move(which));
            if (!found) co_return std::unexpected{found.error()};
            if (found->empty()) co_return fail(Errc::not_found, "no such domain");
            const auto before = found->front().get<std::optional<WallTime>>("verified");
            std::optional<WallTime> verified = before;
            if (standing == Standing::verified && !before) verified = wall_now();
            if (standing == Standing::unverified) verified = std::nullopt;
            db::Params params{tenant, domain.id, verified, checks};
            const auto rows = co_await tx.query("update control.domains set verified = $3, verification = $4::jsonb "
                                                "where tenant_id = $1 and id = $2",
                                                std::move(params));
            if (!rows) co_return std::unexpected{rows.error()};
            if (before.has_value() == verified.has_value()) co_return verified.has_value();
            db::AuditEntry change = change_of(request, verified ? "domain.verified" : "domain.unverified", tenant,
                                              "domain/" + domain.name.text());
            const Result<> noted = co_await db::settings_changed(tx, std::move(change));
            if (!noted) co_return std::unexpected{noted.error()};
            co_return verified.has_value();
        });
}

awaitable<Answer> verify_now(ApiDeps& deps, const Request& request)
{
    const Result<DomainName> name = DomainName::parse(request.param("domain"));
    if (!name) co_return Refused{http::not_found()};
    const TenantId tenant = *request.principal->tenant;
    const Result<StoredDomain> domain = co_await find_domain(deps, tenant, *name);
    if (!domain) co_return failed(request, domain.error());
    auto addresses = co_await sending_addresses(deps, tenant);
    if (!addresses) co_return failed(request, addresses.error());
    if (addresses->empty() && !deps.domains.spf_include)
        co_return Refused{
            Problem{.code = Code::conflict, .detail = "The tenant's pool has no source that SPF could name."}};
    DomainSetup setup = setup_of(deps, *domain, std::move(*addresses));
    const Result<Verification> verification = co_await verify(deps.resolver, std::move(setup));
    if (!verification) co_return failed(request, verification.error());
    const Result<bool> verified = co_await note_verification(deps, request, tenant, *domain, *verification);
    // Only who controls the domain's DNS comes this far, so this tells nothing that he should not know.
    if (!verified && verified.error().code == Errc::conflict)
        co_return Refused{Problem{.code = Code::conflict, .detail = "The domain is verified for another account."}};
    if (!verified) co_return failed(request, verified.error());
    co_return json_response(200, json::object{{"name", domain->name.text()},
                                              {"verified", *verified},
                                              {"records", shape_of_checks(*verification)}});
}

} // namespace

void register_domains(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::tenant};
    routes.add_with_body(Method::post, "/v1/domains", "domains:write", create);
    routes.add(Method::get, "/v1/domains", "domains:read", list);
    routes.add(Method::get, "/v1/domains/{domain}", "domains:read", get);
    routes.add(Method::del, "/v1/domains/{domain}", "domains:write", remove);
    routes.add(Method::post, "/v1/domains/{domain}/verify", "domains:write", verify_now);
}

} // namespace penguin::control::api
