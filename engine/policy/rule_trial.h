// engine/policy/rule_trial.h
// What a reply would lead to, and why: for `rules try` and the API. Pure; asks the same functions as the engine.
//
//   in      a reply as people paste it: its lines by line ends or by " | "; one behind the first may have lost its code
//   out     every rule that fits, the first of which decides; why it does; the verdict
//   errors  bad_value: no code in front, no refusal (4xx, 5xx), or a code that changes
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/policy/rule_book.h"
#include "engine/policy/verdict.h"

namespace penguin::policy {

struct TriedReply {
    NormalReply read_as;
    std::vector<RulePtr> fitting;     // in the order in which they are asked; none: the codes decide
    std::vector<std::string> because; // why the first of them fits
    Verdict verdict;
};

Result<smtp::Reply> parse_pasted_reply(std::string_view text);

// `provider`: a name of the book, or "".
TriedReply try_reply(const RuleBook& book, std::string_view provider, smtp::Phase phase, const smtp::Reply& reply);

// The phases that replies come from, by name.
std::vector<std::string> reply_phases();

} // namespace penguin::policy
