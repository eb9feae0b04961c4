// GET, PUT /v1/rules; GET /v1/rules/versions; rollback
//
//   versions   numbered from 1; the newest is the one to be in force. A rollback is a new version with the text of an old one; version 0
//              is the empty text, which nobody has to write. kRuleVersionsKept are kept.
//   writers    one at a time: the number is the key, so of two at the same moment one is refused
#include <charconv>

#include <fmt/format.h>

#include "control/api/answers.h"
#include "control/api/routes.h"
#include "control/api/rule_text.h"
#include "control/db/settings_version.h"

namespace penguin::control::api {

namespace {

constexpr std::int64_t kRuleVersionsKept = 100;
constexpr std::size_t kCommentMax = 500; // octets
constexpr const char* kColumns =
    "number, comment, author, shipped, rolled_back_to, octet_length(text) as octets, created";

constexpr std::string_view kInsert = R"(
insert into control.rule_versions (number, text, comment, author, shipped, rolled_back_to, created)
select newest.number + 1, $1, $2, $3, $4, $5::bigint, $6
from (select coalesce(max(number), 0) as number from control.rule_versions) as newest
where $7::text is null or newest.number::text = $7
returning )";

json::object shape(const db::Row& row)
{
    const auto rolled_back_to = row.get<std::optional<std::int64_t>>("rolled_back_to");
    return {{"version", row.get<std::int64_t>("number")},
            {"author", row.text("author")},
            {"comment", row.text("comment")},
            {"shipped", row.text("shipped")},
            {"rolled_back_to", rolled_back_to ? json::value(*rolled_back_to) : json::value(nullptr)},
            {"octets", row.get<std::int64_t>("octets")},
            {"created_at", to_rfc3339(row.get<WallTime>("created"))}};
}

// What this node has in force. Needs no PostgreSQL.
awaitable<Answer> get(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const auto provider = query.text("provider");
    const auto origin = query.text("origin");
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    json::array rules;
    for (const policy::RulePtr& rule : deps.rules.book()->rules()) {
        if (provider && std::ranges::find(rule->providers, *provider) == rule->providers.end()) continue;
        if (!origin || name_of(rule->origin) == *origin) rules.emplace_back(shape_of(*rule));
    }
    json::array providers;
    for (const policy::Provider& one : deps.rules.book()->providers())
        if ((!provider || one.name == *provider) && (!origin || name_of(one.origin) == *origin))
            providers.emplace_back(shape_of(one));
    const StoredRules& stored = deps.rules.stored();
    const auto& refused = deps.rules.refused();
    json::value trouble = nullptr;
    if (refused) trouble = json::object{{"version", refused->version.number}, {"detail", refused->why}};
    json::object body{{"version", stored.number},
                      {"refused", std::move(trouble)},
                      {"shipped", policy::shipped_rules_digest()},
                      {"rules", std::move(rules)},
                      {"providers", std::move(providers)}};
    co_return json_response(200, body, {{"ETag", fmt::format("\"{}\"", stored.number)}});
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::optional<std::int64_t> before = query.number_cursor();
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const auto rows =
        co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{before, limit + 1};
            co_return co_await tx.query(fmt::format("select {} from control.rule_versions "
                                                    "where $1::bigint is null or number < $1 "
                                                    "order by number desc limit $2",
                                                    kColumns),
                                        std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape,
                      [](const db::Row& row) { return std::vector<std::string>{std::string{row.text("number")}}; });
}

std::optional<std::int64_t> version_named(const Request& request)
{
    const std::string& text = request.param("version");
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

// Errors: not_found (never written, or not kept any more).
awaitable<Result<std::string>> text_of_version(ApiDeps& deps, std::int64_t number)
{
    if (number == 0) co_return "";
    const auto rows =
        co_await db::as_platform(deps.database.control, [number](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{number};
            co_return co_await tx.query("select text from control.rule_versions where number = $1", std::move(params));
        });
    if (!rows) co_return std::unexpected{rows.error()};
    if (rows->empty()) co_return fail(Errc::not_found, "no such version");
    co_return rows->front().get<std::string>("text");
}

awaitable<Answer> get_version(ApiDeps& deps, const Request& request)
{
    const auto number = version_named(request);
    if (!number) co_return Refused{http::not_found()};
    Result<std::string> text = co_await text_of_version(deps, *number);
    if (!text) co_return failed(request, text.error());
    co_return Response{.content_type = "application/toml", .body = std::move(*text)};
}

struct NewVersion {
    std::string text;
    std::string comment;
    std::optional<std::int64_t> rolled_back_to;
};

// Errors: stale (If-Match), conflict (another writer at the same moment).
awaitable<Result<db::Rows>> insert(ApiDeps& deps, const Request& request, NewVersion version)
{
    const std::string_view action = version.rolled_back_to ? "rules.rolled_back" : "rules.changed";
    const std::string author = request.principal ? request.principal->subject : "";
    co_return co_await db::as_platform(deps.database.control, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
        db::Params params{
            version.text, version.comment,        author, policy::shipped_rules_digest(), version.rolled_back_to,
            wall_now(),   version_wanted(request)};
        auto rows = co_await tx.query(fmt::format("{}{}", kInsert, kColumns), std::move(params));
        if (!rows) co_return std::unexpected{rows.error()};
        if (rows->empty()) co_return fail(Errc::stale, "another version");
        const auto number = rows->front().get<std::int64_t>("number");
        db::Params old{number - kRuleVersionsKept};
        const auto gone = co_await tx.query("delete from control.rule_versions where number <= $1", std::move(old));
        if (!gone) co_return std::unexpected{gone.error()};
        json::object detail{{"octets", version.text.size()}, {"comment", version.comment}};
        if (version.rolled_back_to) detail["to"] = *version.rolled_back_to;
        const Result<> noted =
            co_await db::settings_changed(tx, change_of(request, action, {}, fmt::format("rules/{}", number), detail));
        if (!noted) co_return std::unexpected{noted.error()};
        co_return rows;
    });
}

awaitable<Answer> write(ApiDeps& deps, const Request& request, NewVersion version)
{
    const CheckedRules checked = co_await check_rules(deps, version.text);
    if (!checked) co_return Refused{checked.error()};
    const auto made = co_await insert(deps, request, std::move(version));
    if (!made && made.error().code == Errc::conflict)
        co_return Refused{Problem{.code = Code::conflict, .detail = "Somebody wrote a version at the same moment."}};
    if (!made) co_return failed(request, made.error());
    const db::Row row = made->front();
    co_return json_response(200, shape(row), {{"ETag", fmt::format("\"{}\"", row.text("number"))}});
}

awaitable<Answer> put(ApiDeps& deps, const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) co_return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) co_return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    NewVersion version{.text = std::string{body.text("text", {.max = policy::kRuleFileMax})},
                       .comment = std::string{body.optional_text("comment", {.max = kCommentMax}).value_or("")},
                       .rolled_back_to = {}};
    body.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    co_return co_await write(deps, request, std::move(version));
}

awaitable<Answer> roll_back(ApiDeps& deps, const Request& request)
{
    const auto number = version_named(request);
    if (!number) co_return Refused{http::not_found()};
    Result<std::string> text = co_await text_of_version(deps, *number);
    if (!text) co_return failed(request, text.error());
    NewVersion version{.text = std::move(*text), .comment = {}, .rolled_back_to = number};
    co_return co_await write(deps, request, std::move(version));
}

} // namespace

void register_rules(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add(Method::get, "/v1/rules", "rules:read", get);
    routes.add_with_body(Method::put, "/v1/rules", "rules:write", put, kRulesBodyMax);
    routes.add(Method::get, "/v1/rules/versions", "rules:read", list);
    routes.add(Method::get, "/v1/rules/versions/{version}", "rules:read", get_version);
    routes.add(Method::post, "/v1/rules/versions/{version}/rollback", "rules:write", roll_back);
}

} // namespace penguin::control::api
