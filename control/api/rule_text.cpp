#include "control/api/rule_text.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace penguin::control::api {

namespace {

json::array array_of(const std::vector<std::string>& texts)
{
    json::array out;
    for (const std::string& text : texts) out.emplace_back(text);
    return out;
}

template <class Items>
json::array written(const Items& items)
{
    json::array out;
    for (const auto& item : items) out.emplace_back(item.text());
    return out;
}

json::array names_of(const std::vector<smtp::Phase>& phases)
{
    json::array out;
    for (const smtp::Phase phase : phases) out.emplace_back(std::string{smtp::name_of(phase)});
    return out;
}

template <class Number>
json::value number_or_null(const std::optional<Number>& number)
{
    return number ? json::value(*number) : json::value(nullptr);
}

} // namespace

json::value seconds_or_null(const std::optional<Duration>& time)
{
    return time ? json::value(std::chrono::duration_cast<std::chrono::seconds>(*time).count()) : json::value(nullptr);
}

awaitable<CheckedRules> check_rules(ApiDeps& deps, std::string text)
{
    const auto work = [&]() -> awaitable<policy::RuleBook::Made> { co_return deps.rules.over_layers(text); };
    policy::RuleBook::Made made = co_await asio::co_spawn(deps.workers, work, asio::use_awaitable);
    if (made) co_return std::move(*made);
    Issues issues;
    for (const policy::RuleProblem& problem : made.error()) issues.add("text", "bad_value", policy::text_of(problem));
    co_return Refused{std::move(issues).problem()};
}

json::array texts_of(const std::vector<policy::Reaction>& reactions) { return written(reactions); }

json::object shape_of(const policy::ReplyRule& rule)
{
    return {{"id", rule.id},
            {"origin", std::string{name_of(rule.origin)}},
            {"providers", array_of(rule.providers)},
            {"phases", names_of(rule.phases)},
            {"codes", written(rule.codes)},
            {"enhanced", written(rule.enhanced)},
            {"says", array_of(rule.says)},
            {"class", std::string{policy::name_of(rule.klass)}},
            {"kind", rule.kind ? json::value(json::string(policy::name_of(*rule.kind))) : json::value(nullptr)},
            {"suppress", rule.suppress},
            {"wait_s", seconds_or_null(rule.wait)},
            {"life_s", seconds_or_null(rule.life)},
            {"reactions", texts_of(rule.reactions)},
            {"verified", rule.verified},
            {"note", rule.note}};
}

json::object shape_of(const policy::Provider& provider)
{
    return {{"name", provider.name},
            {"origin", std::string{name_of(provider.origin)}},
            {"mx", array_of(provider.mx)},
            {"connections", number_or_null(provider.connections)},
            {"messages_per_connection", number_or_null(provider.messages_per_connection)},
            {"tls_required", provider.tls_required},
            {"verified", provider.verified},
            {"note", provider.note}};
}

} // namespace penguin::control::api
