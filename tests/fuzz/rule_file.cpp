// A file of reply rules: rules that keep their bounds, or at least one problem in words; and what is right goes over the shipped rules, or
// says why not. Then any text can be asked of the book.
#include "engine/policy/rule_book.h"
#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text{reinterpret_cast<const char*>(data), size};
    const auto file = policy::parse_rule_file(text, "f.toml");
    if (!file) {
        check(!file.error().empty());
        for (const policy::RuleProblem& problem : file.error())
            check(!problem.text.empty() && problem.file == "f.toml");
        return 0;
    }
    for (const policy::ReplyRule& rule : file->rules) {
        check(!rule.id.empty() && rule.id.size() <= policy::kRuleNameMax);
        check(rule.says.size() <= policy::kPatternsMax && rule.reactions.size() <= policy::kReactionsMax);
        check(!rule.codes.empty() || !rule.enhanced.empty() || !rule.says.empty());
        for (const policy::CodeRange& range : rule.codes) {
            check(range.first >= 400 && range.first <= range.last && range.last <= 599);
            check(policy::CodeRange::parse(range.text()) == range);
        }
        for (const policy::EnhancedRange& range : rule.enhanced)
            check(policy::EnhancedRange::parse(range.text()) == range);
        if (rule.suppress)
            for (const smtp::Phase phase : rule.phases) check(phase >= smtp::Phase::rcpt);
    }
    const policy::RuleBook::Made book = policy::rules_over_shipped(text, "f.toml");
    if (!book) {
        check(!book.error().empty());
        return 0;
    }
    static_cast<void>((*book)->find("gmail", smtp::Phase::rcpt, {.code = 550, .enhanced = {}, .text = text}));
    return 0;
}
