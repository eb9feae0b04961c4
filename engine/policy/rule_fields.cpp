#include "engine/policy/rule_fields.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/units.h"

namespace penguin::policy {

namespace {

bool is_name(std::string_view text)
{
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    };
    return !text.empty() && text.size() <= kRuleNameMax && std::ranges::all_of(text, allowed);
}

// Texts of a field: of one text or of an array; nothing when it is neither. Numbers count as their digits: codes = [421].
std::optional<std::vector<std::string>> items_of(const toml::node& node)
{
    const auto item = [](const toml::node& one) -> std::optional<std::string> {
        if (const auto* const text = one.as_string()) return text->get();
        if (const auto* const number = one.as_integer()) return fmt::format("{}", number->get());
        return std::nullopt;
    };
    if (const auto alone = item(node)) return std::vector{*alone};
    const toml::array* const array = node.as_array();
    if (!array) return std::nullopt;
    std::vector<std::string> out;
    for (const toml::node& one : *array) {
        const auto text = item(one);
        if (!text) return std::nullopt;
        out.push_back(*text);
    }
    return out;
}

} // namespace

void RuleFields::refuse(std::string_view field, std::string text)
{
    const toml::node* const node = table_.get(field);
    const std::size_t line = node ? node->source().begin.line : table_.source().begin.line;
    problems_.push_back({file_, line, rule_, std::string{field}, std::move(text)});
}

const toml::node* RuleFields::find(std::string_view field)
{
    asked_.emplace(field);
    return table_.get(field);
}

std::string RuleFields::text(std::string_view field, std::size_t most)
{
    const toml::node* const node = find(field);
    if (!node) return "";
    const auto* const value = node->as_string();
    const bool right = value && !value->get().empty() && value->get().size() <= most;
    if (right) return value->get();
    refuse(field, fmt::format("must be a text of 1 to {} octets", most));
    return "";
}

std::string RuleFields::name(std::string_view field)
{
    const toml::node* const node = find(field);
    const auto* const value = node ? node->as_string() : nullptr;
    if (value && is_name(value->get())) return value->get();
    refuse(field, fmt::format("is needed: 1 to {} of a-z 0-9 . - _", kRuleNameMax));
    return "";
}

std::vector<std::string> RuleFields::texts(std::string_view field, std::size_t most, std::size_t octets)
{
    const toml::node* const node = find(field);
    if (!node) return {};
    auto items = items_of(*node);
    const bool right =
        items && !items->empty() && items->size() <= most &&
        std::ranges::all_of(*items, [&](const std::string& item) { return !item.empty() && item.size() <= octets; });
    if (right) return std::move(*items);
    refuse(field, fmt::format("must be a text or an array of 1 to {} texts, each of 1 to {} octets", most, octets));
    return {};
}

bool RuleFields::flag(std::string_view field, bool without)
{
    const toml::node* const node = find(field);
    if (!node) return without;
    if (const auto* const value = node->as_boolean()) return value->get();
    refuse(field, "must be true or false");
    return without;
}

std::optional<std::size_t> RuleFields::whole(std::string_view field, std::size_t min, std::size_t max)
{
    const toml::node* const node = find(field);
    if (!node) return std::nullopt;
    const auto* const value = node->as_integer();
    const bool right =
        value && value->get() >= static_cast<std::int64_t>(min) && value->get() <= static_cast<std::int64_t>(max);
    if (right) return static_cast<std::size_t>(value->get());
    refuse(field, fmt::format("must be a number from {} to {}", min, max));
    return std::nullopt;
}

std::optional<std::chrono::seconds> RuleFields::time(std::string_view field, std::chrono::seconds most)
{
    using std::chrono::milliseconds;
    const toml::node* const node = find(field);
    if (!node) return std::nullopt;
    const auto* const value = node->as_string();
    const Result<milliseconds> given = value ? parse_duration(value->get()) : fail(Errc::bad_value, "");
    const bool right =
        given && *given % milliseconds{1'000} == milliseconds{0} && *given > milliseconds{0} && *given <= most;
    if (right) return std::chrono::duration_cast<std::chrono::seconds>(*given);
    refuse(field, fmt::format(R"(must be a time such as "90s", "15m" or "1d12h", whole seconds, at most {})",
                              duration_text(most)));
    return std::nullopt;
}

void RuleFields::end()
{
    for (const auto& [key, node] : table_)
        if (!asked_.contains(key.str()))
            refuse(key.str(), fmt::format("unknown key; known here: {}", fmt::join(asked_, ", ")));
}

} // namespace penguin::policy
