// engine/policy/rule_fields.h
// Reads one table of a rule file into typed fields and notes everything that is wrong with it. Inside of engine/policy.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "engine/policy/rule_file.h"

namespace penguin::policy {

class RuleFields {
public:
    // `rule` names the table in problems; it may come later (`call`).
    RuleFields(const toml::table& table, std::string file, RuleProblems& problems)
        : table_{table},
          file_{std::move(file)},
          problems_{problems}
    {
    }

    void call(std::string rule) { rule_ = std::move(rule); }
    const std::string& called() const { return rule_; }

    bool has(std::string_view field) const { return table_.contains(field); }
    const toml::node* find(std::string_view field);
    std::string text(std::string_view field, std::size_t most);
    // An id or a name: 1 to kRuleNameMax of a-z 0-9 . - _
    std::string name(std::string_view field);
    // A text, or an array of texts.
    std::vector<std::string> texts(std::string_view field, std::size_t most, std::size_t octets);
    bool flag(std::string_view field, bool without);
    std::optional<std::size_t> whole(std::string_view field, std::size_t min, std::size_t max);
    // Whole seconds, from one.
    std::optional<std::chrono::seconds> time(std::string_view field, std::chrono::seconds most);
    // What each of `texts` means by `parse`, an optional.
    template <class Parse>
    auto parsed(std::string_view field, Parse parse, std::string_view expected)
    {
        std::vector<typename std::invoke_result_t<Parse, std::string_view>::value_type> out;
        for (const std::string& text : texts(field, kRuleItemsMax, kRuleNameMax)) {
            auto value = parse(text);
            if (value)
                out.push_back(std::move(*value));
            else
                refuse(field, "\"" + text + "\" is not " + std::string{expected});
        }
        return out;
    }

    void refuse(std::string_view field, std::string text);
    // Every key that nobody asked for is a problem. Called once, after the last field.
    void end();

private:
    const toml::table& table_;
    std::string file_;
    std::string rule_;
    RuleProblems& problems_;
    std::set<std::string, std::less<>> asked_;
};

} // namespace penguin::policy
