// engine/policy/rule_book.h
// All providers and reply rules of a node, ready to be asked: immutable, shared between threads, swapped with the settings.
//
//   order   rules that name the provider, then rules for any; within each in the order of the book; the first that fits wins
//   fits    phase and codes first, then every pattern; all patterns of the book are one RE2::Set, run once a reply
//   over    a file may be put over another: a rule or provider of the same name takes the place of the one below it, new rules come
//           before all of those, and `off` takes a rule away. So there are layers: shipped, an operator's file, a stored version
#pragma once

#include <expected>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/policy/reply_rule.h"
#include "engine/policy/reply_text.h"
#include "engine/policy/rule_file.h"

namespace penguin::policy {

using RulePtr = std::shared_ptr<const ReplyRule>;

class RuleBook {
public:
    using Made = std::expected<std::shared_ptr<const RuleBook>, RuleProblems>;
    // Problems: two rules or providers of one name, an MX name of two providers, a provider that nobody knows, too many of
    // something. `file` is named in them.
    static Made make(RuleFile content, std::string_view file);
    ~RuleBook();
    RuleBook(const RuleBook&) = delete;
    RuleBook& operator=(const RuleBook&) = delete;

    // The name of the provider whose MX name fits most of `mx_host` (lower case); "" when none does.
    std::string_view provider_of(std::string_view mx_host) const;
    const Provider* provider(std::string_view name) const;
    const std::vector<Provider>& providers() const { return providers_; }
    const std::vector<RulePtr>& rules() const { return rules_; }

    // `provider`: a name, or "". Null: no rule knows it.
    RulePtr find(std::string_view provider, smtp::Phase phase, const NormalReply& reply) const;
    // Every rule that fits, in the order in which they are asked.
    std::vector<RulePtr> all(std::string_view provider, smtp::Phase phase, const NormalReply& reply) const;

private:
    struct Matcher;
    RuleBook();

    std::vector<Provider> providers_;
    std::vector<RulePtr> rules_;
    std::unique_ptr<const Matcher> matcher_;
};

// Problems: `off` names no rule below.
std::expected<RuleFile, RuleProblems> put_over(RuleFile below, RuleFile above, std::string_view file);

// The next layer: what a text says, over all that is below it. `file` is named in problems.
std::expected<RuleFile, RuleProblems> layer_over(RuleFile below, std::string_view text, std::string_view file,
                                                 RuleOrigin origin);

// The rules that come with the program, and which ones they are: the same digest, the same rules.
const RuleFile& shipped_rule_file();
const std::shared_ptr<const RuleBook>& shipped_rules();
std::string_view shipped_rules_digest();
// A file of an operator over them.
RuleBook::Made rules_over_shipped(std::string_view text, std::string_view file);

} // namespace penguin::policy
