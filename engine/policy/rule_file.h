// engine/policy/rule_file.h
// Reads a file of provider profiles and reply rules (TOML; README.md has the format).
//
//   in      a text of at most kRuleFileMax octets
//   out     what it says, or every problem at once: each with line, rule and field
//   rules   unknown keys, other types, values out of range, patterns that are no RE2 or fit every reply, and rules that could
//           suppress a recipient before anybody spoke of one are refused
//   limits  the k...Max below
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "engine/policy/reply_rule.h"

namespace penguin::policy {

inline constexpr std::size_t kRuleFileMax = 1 << 20; // octets
inline constexpr std::size_t kRulesMax = 2'000;      // of a book
inline constexpr std::size_t kProvidersMax = 500;    // of a book
inline constexpr std::size_t kRuleItemsMax = 64;     // codes, phases, MX names ... of one field
inline constexpr std::size_t kPatternsMax = 8;       // of a rule
inline constexpr std::size_t kPatternMax = 512;      // octets
inline constexpr std::size_t kReactionsMax = 8;      // of a rule
inline constexpr std::size_t kRuleNameMax = 64;      // octets of an id, of a provider's name
inline constexpr std::size_t kNoteMax = 512;         // octets

struct RuleProblem {
    std::string file;
    std::size_t line = 0; // 0: not about one line
    std::string rule;     // id of the rule, name of the provider; "" where it has none
    std::string field;    // "" about the whole
    std::string text;
    friend bool operator==(const RuleProblem&, const RuleProblem&) = default;
};
using RuleProblems = std::vector<RuleProblem>;

// "rules.toml:12: gmail-4.7.28-ip: codes: must be ..."
std::string text_of(const RuleProblem& problem);

struct RuleFile {
    std::vector<Provider> providers;
    std::vector<ReplyRule> rules;
    std::vector<std::string> off; // ids of rules of the file below that are not to be
    friend bool operator==(const RuleFile&, const RuleFile&) = default;
};

// `file` is only named in problems; `origin` is every rule's and provider's.
std::expected<RuleFile, RuleProblems> parse_rule_file(std::string_view text, std::string_view file,
                                                      RuleOrigin origin = RuleOrigin::shipped);

// What is wrong with a pattern; "" when it may stand in a rule.
std::string pattern_problem(const std::string& pattern);

} // namespace penguin::policy
