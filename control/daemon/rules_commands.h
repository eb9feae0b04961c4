// control/daemon/rules_commands.h
// `penguin-mta rules check` and `rules try`: what a file of reply rules says, and what a reply would lead to. Needs no daemon, no
// configuration and no network.
//
//   check    every problem of a file, one a line, with line, rule and field; else what it changes
//   try      the rule that knows a reply, why it fits, what becomes of the message, and which rules stand behind it
//   exit     check: 0, 1 when the file is wrong. try: 0 when a rule knows the reply, 2 when its codes alone decide, 1 when what
//            was given is wrong
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "engine/policy/rule_book.h"

namespace penguin::control {

// The shipped rules, with those of `file` over them; "": the shipped ones alone. As they are written, and ready to be asked.
std::expected<policy::RuleFile, policy::RuleProblems> load_rule_file(const std::string& file);
policy::RuleBook::Made load_rules(const std::string& file);

int check_rules(const std::string& file, std::ostream& out);

struct RuleTrial {
    std::string reply;    // "421-4.7.28 ..."; its lines by line ends or by " | "
    std::string provider; // "": none that we know
    std::string phase{"rcpt"};
    std::string file; // as load_rules
};
int try_rules(const RuleTrial& trial, std::ostream& out);

} // namespace penguin::control
