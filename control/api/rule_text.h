// control/api/rule_text.h
// Reply rules as the API takes and gives them.
#pragma once

#include <memory>
#include <string>

#include "control/api/answers.h"
#include "engine/policy/rule_book.h"

namespace penguin::control::api {

inline constexpr std::size_t kRulesBodyMax = 2 * policy::kRuleFileMax; // octets: JSON's escapes of the text

using CheckedRules = std::expected<std::shared_ptr<const policy::RuleBook>, Problem>;

// The book that a text makes over this node's layers, compiled on a worker. Its problems, each by line, rule and field, are errors of
// the field `text`.
awaitable<CheckedRules> check_rules(ApiDeps& deps, std::string text);

json::object shape_of(const policy::ReplyRule& rule);
json::object shape_of(const policy::Provider& provider);
json::array texts_of(const std::vector<policy::Reaction>& reactions);
json::value seconds_or_null(const std::optional<Duration>& time);

} // namespace penguin::control::api
