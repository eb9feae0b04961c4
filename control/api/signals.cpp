// PUT, GET /v1/signals: what others say of a source or a domain, for the warm-up and for people
#include <cmath>

#include <fmt/format.h>

#include "control/api/days.h"
#include "control/api/routes.h"

namespace penguin::control::api {

namespace {

using Day = std::chrono::sys_days;

constexpr std::chrono::days kFutureMost{1}; // somebody's day may have begun before ours
constexpr std::chrono::days kPastMost{400};
constexpr double kCountMost = 1e9;

struct Kind {
    std::string_view name;
    double most;
    bool whole;
};
constexpr Kind kKinds[] = {{"complaints", kCountMost, true},
                           {"complaint_share", 1, false},
                           {"listings", 1'000, true},
                           {"snds", 2, true}, // green, yellow, red
                           {"traps", kCountMost, true}};
const std::vector<std::string_view> kScopes{"source", "domain"};

std::vector<std::string_view> kind_names()
{
    std::vector<std::string_view> names;
    for (const Kind& kind : kKinds) names.push_back(kind.name);
    return names;
}

struct Signal {
    std::string scope, subject, provider, kind, origin;
    Day day;
    double value = 0;
};

// A source by its id, a domain by its name.
std::string read_subject(ObjectReader& body, std::string_view scope)
{
    std::string given{body.text("subject", {.min = 1, .max = 255})};
    if (given.empty()) return given;
    if (scope == "source") {
        const Result<Uuid> id = Uuid::parse(given);
        if (!id) body.issue("subject", "bad_format", "must be the source's id");
        return id ? id->text() : given;
    }
    const Result<DomainName> name = DomainName::parse(given);
    if (!name) body.issue("subject", "bad_format", "must be a domain's name");
    return name ? std::string{name->text()} : given;
}

double read_value(ObjectReader& body, const Kind* kind)
{
    if (!body.has("value")) body.issue("value", "required", "is required");
    const double value = body.number("value", 0, kind != nullptr ? kind->most : kCountMost).value_or(0);
    if (kind != nullptr && kind->whole && value != std::floor(value))
        body.issue("value", "out_of_range", fmt::format("must be a whole number from 0 to {}", kind->most));
    return value;
}

std::expected<Signal, Problem> read_signal(const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    Signal out;
    for (const char* field : {"scope", "kind", "day"})
        if (!body.has(field)) body.issue(field, "required", "is required");
    if (const auto scope = body.word("scope", kScopes)) out.scope = kScopes[*scope];
    out.subject = read_subject(body, out.scope);
    out.provider = body.optional_text("provider", {.max = 64}).value_or("");
    const auto kind = body.word("kind", kind_names());
    out.kind = kind ? kKinds[*kind].name : "";
    out.origin = body.text("origin", {.min = 1, .max = 64});
    const Day today = std::chrono::floor<std::chrono::days>(wall_now());
    out.day = read_day(body, "day").value_or(today);
    if (out.day > today + kFutureMost || out.day < today - kPastMost)
        body.issue("day", "out_of_range", fmt::format("must be within the last {} days", kPastMost.count()));
    out.value = read_value(body, kind ? &kKinds[*kind] : nullptr);
    body.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return out;
}

json::object shape(const db::Row& row)
{
    return {{"scope", row.text("scope")},        {"subject", row.text("subject")},
            {"provider", row.text("provider")},  {"day", row.text("day")},
            {"kind", row.text("kind")},          {"origin", row.text("origin")},
            {"value", row.get<double>("value")}, {"updated_at", to_rfc3339(row.get<WallTime>("updated"))}};
}

constexpr const char* kColumns =
    "scope, subject, provider, to_char(day, 'YYYY-MM-DD') as day, kind, origin, value, updated";

awaitable<Answer> put(ApiDeps& deps, const Request& request)
{
    const auto given = read_signal(request);
    if (!given) co_return Refused{given.error()};
    const auto work = [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
        auto rows = co_await tx.query(
            fmt::format("insert into control.signals (scope, subject, provider, day, kind, origin, value, updated)"
                        " values ($1, $2, $3, $4::date, $5, $6, $7, $8)"
                        " on conflict (scope, subject, day, provider, kind, origin) do update"
                        " set value = excluded.value, updated = excluded.updated returning {}",
                        kColumns),
            db::Params{given->scope, given->subject, given->provider, day_text(given->day), given->kind, given->origin,
                       given->value, wall_now()});
        if (!rows) co_return rows;
        const Result<> noted = co_await db::append_audit(
            tx, change_of(request, "signal.put", {}, fmt::format("signal/{}/{}", given->scope, given->subject),
                          {{"provider", given->provider},
                           {"day", day_text(given->day)},
                           {"kind", given->kind},
                           {"origin", given->origin},
                           {"value", given->value}}));
        if (!noted) co_return std::unexpected{noted.error()};
        co_return rows;
    };
    const Result<db::Rows> kept = co_await db::as_platform(deps.database.control, work);
    if (!kept) co_return failed(request, kept.error());
    co_return json_response(200, shape(kept->front()));
}

awaitable<Answer> list(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const std::vector<std::string> after = query.cursor(6);
    const std::optional<std::string> scope = query.text("scope");
    const std::optional<std::string> subject = query.text("subject");
    query.finish();
    if (scope && *scope != "source" && *scope != "domain")
        issues.add("scope", "bad_value", "must be one of source, domain");
    if (!after.empty() && !parse_day(after[2])) issues.add("cursor", "bad_format", "is no cursor of this list");
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const std::vector<std::string> key = after.empty() ? std::vector<std::string>(6) : after;
    const std::string day = after.empty() ? "0001-01-01" : key[2];
    const auto ask = [&](db::Transaction& tx) {
        return tx.query(
            fmt::format(
                "select {} from control.signals where ($1::text is null or scope = $1)"
                " and ($2::text is null or subject = $2)"
                " and (scope, subject, control.signals.day, provider, kind, origin) > ($3, $4, $5::date, $6, $7, $8)"
                " order by scope, subject, control.signals.day, provider, kind, origin limit $9",
                kColumns),
            db::Params{scope, subject, key[0], key[1], day, key[3], key[4], key[5], limit + 1});
    };
    const Result<db::Rows> rows = co_await db::as_platform(deps.database.control, ask);
    if (!rows) co_return failed(request, rows.error());
    co_return page_of(*rows, limit, shape, [](const db::Row& row) {
        std::vector<std::string> last;
        for (const char* column : {"scope", "subject", "day", "provider", "kind", "origin"})
            last.emplace_back(row.text(column));
        return last;
    });
}

} // namespace

void register_signals(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add_with_body(Method::put, "/v1/signals", "sources:write", put);
    routes.add(Method::get, "/v1/signals", "sources:read", list);
}

} // namespace penguin::control::api
