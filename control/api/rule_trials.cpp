// POST /v1/rules/check, POST /v1/rules/try, GET /v1/rules/coverage: what rules would do, and what they miss. Nothing is changed.
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/api/answers.h"
#include "control/api/routes.h"
#include "control/api/rule_text.h"
#include "control/ledger/unknown_replies.h"
#include "engine/policy/rule_trial.h"

namespace penguin::control::api {

namespace {

constexpr int kCoverageDays = 7;

constexpr std::string_view kCoverage = R"(
select phase, reply, sum(count)::bigint as count, max(last) as last, (array_agg(site order by last desc))[1] as site
from analytics.unknown_replies where day > $1::date - $2::int
group by phase, reply order by sum(count) desc, phase, reply limit $3)";

awaitable<Answer> check(ApiDeps& deps, const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) co_return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) co_return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    std::string text{body.text("text", {.max = policy::kRuleFileMax})};
    body.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const CheckedRules book = co_await check_rules(deps, std::move(text));
    if (!book) co_return Refused{book.error()};
    const auto own =
        std::ranges::count((*book)->rules(), policy::RuleOrigin::stored, [](const auto& rule) { return rule->origin; });
    co_return json_response(200, json::object{{"own_rules", own},
                                              {"rules", (*book)->rules().size()},
                                              {"providers", (*book)->providers().size()}});
}

struct Question {
    std::string provider;
    smtp::Phase phase{};
    smtp::Reply reply;
};

std::expected<Question, Problem> read_question(const policy::RuleBook& book, const Request& request)
{
    const auto document = http::parse_json(request.body);
    if (!document) return Refused{document.error()};
    const auto object = http::object_of(*document);
    if (!object) return Refused{object.error()};
    Issues issues;
    ObjectReader body{**object, issues};
    Question out;
    out.provider = body.optional_text("provider", {.max = policy::kRuleNameMax}).value_or("");
    if (!out.provider.empty() && !book.provider(out.provider))
        body.issue("provider", "bad_value", "nobody knows a provider of that name");
    const std::string phase{body.optional_text("phase").value_or("rcpt")};
    if (const auto known = policy::parse_reply_phase(phase))
        out.phase = *known;
    else
        body.issue("phase", "bad_value", fmt::format("must be one of {}", fmt::join(policy::reply_phases(), ", ")));
    const auto text = body.text("reply", {.min = 1, .max = policy::kReplyTextMax});
    if (auto reply = policy::parse_pasted_reply(text))
        out.reply = std::move(*reply);
    else if (!text.empty())
        body.issue("reply", "bad_value", reply.error().detail);
    body.finish();
    if (!issues.empty()) return Refused{std::move(issues).problem()};
    return out;
}

json::object shape(const policy::TriedReply& tried)
{
    const policy::Verdict& verdict = tried.verdict;
    const policy::RulePtr rule = tried.fitting.empty() ? nullptr : tried.fitting.front();
    json::array because;
    for (const std::string& reason : tried.because) because.emplace_back(reason);
    json::array behind;
    for (std::size_t i = 1; i < tried.fitting.size(); ++i) behind.emplace_back(tried.fitting[i]->id);
    return {{"known", rule != nullptr},
            {"decided_by", rule ? std::string_view{rule->id} : verdict.rule},
            {"origin", rule ? json::value(json::string(name_of(rule->origin))) : json::value(nullptr)},
            {"because", std::move(because)},
            {"class", policy::name_of(verdict.klass)},
            {"kind", verdict.kind == policy::Verdict::Kind::bounce ? "bounce" : "retry"},
            {"suppress", verdict.suppress},
            {"wait_s", seconds_or_null(verdict.wait)},
            {"life_s", seconds_or_null(verdict.life)},
            {"reactions", rule ? texts_of(rule->reactions) : json::array{}},
            {"verified", rule ? json::value(rule->verified) : json::value(nullptr)},
            {"note", rule ? std::string_view{rule->note} : ""},
            {"behind", std::move(behind)},
            {"read_as", policy::text_of(tried.read_as)}};
}

awaitable<Answer> try_reply(ApiDeps& deps, const Request& request)
{
    const std::shared_ptr<const policy::RuleBook> book = deps.rules.book();
    const auto question = read_question(*book, request);
    if (!question) co_return Refused{question.error()};
    co_return json_response(200, shape(policy::try_reply(*book, question->provider, question->phase, question->reply)));
}

int days_of(QueryReader& query, Issues& issues)
{
    const auto given = query.text("days");
    if (!given) return kCoverageDays;
    int days = 0;
    const auto [end, code] = std::from_chars(given->data(), given->data() + given->size(), days);
    const bool whole = code == std::errc{} && end == given->data() + given->size();
    if (whole && days >= 1 && days <= ledger::kUnknownDays) return days;
    issues.add("days", "out_of_range", fmt::format("must be from 1 to {}", ledger::kUnknownDays));
    return kCoverageDays;
}

awaitable<Answer> coverage(ApiDeps& deps, const Request& request)
{
    Issues issues;
    QueryReader query{request, issues};
    const std::size_t limit = query.limit();
    const int days = days_of(query, issues);
    query.finish();
    if (!issues.empty()) co_return Refused{std::move(issues).problem()};
    const auto rows =
        co_await db::as_platform(deps.database.analytics, [&](db::Transaction& tx) -> awaitable<Result<db::Rows>> {
            db::Params params{ledger::day_text(wall_now()), days, limit};
            co_return co_await tx.query(std::string{kCoverage}, std::move(params));
        });
    if (!rows) co_return failed(request, rows.error());
    json::array replies;
    for (const db::Row row : *rows)
        replies.emplace_back(json::object{{"count", row.get<std::int64_t>("count")},
                                          {"phase", row.text("phase")},
                                          {"reply", row.text("reply")},
                                          {"site", row.text("site")},
                                          {"last_at", to_rfc3339(row.get<WallTime>("last"))}});
    co_return json_response(200, json::object{{"days", days}, {"replies", std::move(replies)}});
}

} // namespace

void register_rule_trials(Router& router, ApiDeps& deps)
{
    RouteAdder routes{router, deps, Audience::platform};
    routes.add_with_body(Method::post, "/v1/rules/check", "rules:read", check, kRulesBodyMax);
    routes.add_with_body(Method::post, "/v1/rules/try", "rules:read", try_reply);
    routes.add(Method::get, "/v1/rules/coverage", "rules:read", coverage);
}

} // namespace penguin::control::api
