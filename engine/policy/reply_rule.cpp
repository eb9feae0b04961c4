#include "engine/policy/reply_rule.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "engine/base/units.h"

namespace penguin::policy {

namespace {

constexpr std::array<std::string_view, 7> kReactions{"suppress", "slow",      "one_connection", "reconnect",
                                                     "pause",    "force_tls", "alert"};
constexpr std::array<std::string_view, 7> kScopes{"recipient_domain",   "campaign", "dkim_domain", "lane",
                                                  "source_at_provider", "netblock", "source"};
constexpr std::array<std::string_view, 2> kKinds{"retry", "bounce"};
constexpr std::uint16_t kDetailMax = 999; // RFC 3463 2

template <class Value, std::size_t N>
std::optional<Value> value_of(const std::array<std::string_view, N>& names, std::string_view name)
{
    const auto* const found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Value>(found - names.begin());
}

std::optional<std::uint16_t> number_of(std::string_view text)
{
    std::uint16_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size() || text.size() > 3) return std::nullopt;
    return value;
}

// "a-b": both; "a": twice.
std::optional<std::pair<std::uint16_t, std::uint16_t>> range_of(std::string_view text)
{
    const std::size_t hyphen = text.find('-');
    const auto first = number_of(text.substr(0, hyphen));
    const auto last = hyphen == std::string_view::npos ? first : number_of(text.substr(hyphen + 1));
    if (!first || !last || *first > *last) return std::nullopt;
    return std::pair{*first, *last};
}

std::string or_x(const auto& value) { return value ? fmt::format("{}", *value) : "x"; }

} // namespace

std::string CodeRange::text() const
{
    if (first == last) return fmt::format("{}", first);
    if (first % 100 == 0 && last == first + 99) return fmt::format("{}xx", first / 100);
    return fmt::format("{}-{}", first, last);
}

std::optional<CodeRange> CodeRange::parse(std::string_view text)
{
    if (text == "4xx") return CodeRange{400, 499};
    if (text == "5xx") return CodeRange{500, 599};
    const auto range = range_of(text);
    if (!range || range->first < 400 || range->second > 599) return std::nullopt;
    return CodeRange{range->first, range->second};
}

bool EnhancedRange::holds(const smtp::EnhancedCode& code) const
{
    return (!klass || *klass == code.klass) && (!subject || *subject == code.subject) &&
           (!first || (code.detail >= *first && code.detail <= *last));
}

std::string EnhancedRange::text() const
{
    const std::string detail = first == last ? or_x(first) : fmt::format("{}-{}", *first, *last);
    return fmt::format("{}.{}.{}", or_x(klass), or_x(subject), detail);
}

std::optional<EnhancedRange> EnhancedRange::parse(std::string_view text)
{
    const std::size_t one = text.find('.');
    const std::size_t two = one == std::string_view::npos ? one : text.find('.', one + 1);
    if (two == std::string_view::npos) return std::nullopt;
    const std::string_view klass = text.substr(0, one);
    const std::string_view subject = text.substr(one + 1, two - one - 1);
    const std::string_view detail = text.substr(two + 1);
    EnhancedRange out;
    if (klass == "4" || klass == "5")
        out.klass = static_cast<std::uint8_t>(klass.front() - '0');
    else if (klass != "x")
        return std::nullopt;
    out.subject = number_of(subject);
    if (!out.subject && subject != "x") return std::nullopt;
    if (detail == "x") return out;
    const auto range = range_of(detail);
    if (!range || range->second > kDetailMax) return std::nullopt;
    out.first = range->first;
    out.last = range->second;
    return out;
}

std::string Reaction::text() const
{
    std::string out;
    if (trigger) out += fmt::format("{}/{} ", trigger->count, duration_text(trigger->within));
    out += name_of(kind);
    if (scope) out += fmt::format(" {}", name_of(*scope));
    if (messages) out += fmt::format(" {} messages", *messages);
    if (length) out += fmt::format(" {}", duration_text(*length));
    return out;
}

bool ReplyRule::fits(smtp::Phase phase, int code, const std::vector<smtp::EnhancedCode>& given) const
{
    if (!phases.empty() && std::ranges::find(phases, phase) == phases.end()) return false;
    if (code < 400 || code > 599) return false;
    const auto holds_code = [&](const CodeRange& range) { return range.holds(code); };
    if (!codes.empty() && std::ranges::none_of(codes, holds_code)) return false;
    const auto holds_given = [&](const EnhancedRange& range) {
        return std::ranges::any_of(given, [&](const smtp::EnhancedCode& one) { return range.holds(one); });
    };
    return enhanced.empty() || std::ranges::any_of(enhanced, holds_given);
}

std::string_view name_of(RuleOrigin origin)
{
    switch (origin) {
    case RuleOrigin::shipped: return "shipped";
    case RuleOrigin::file: return "file";
    case RuleOrigin::stored: return "stored";
    }
    return "unknown";
}

std::string_view name_of(ReactionKind kind) { return kReactions[static_cast<std::size_t>(kind)]; }
std::string_view name_of(PauseScope scope) { return kScopes[static_cast<std::size_t>(scope)]; }
std::string_view name_of(ReplyRule::Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::optional<ReactionKind> parse_reaction_kind(std::string_view name)
{
    return value_of<ReactionKind>(kReactions, name);
}
std::optional<PauseScope> parse_pause_scope(std::string_view name) { return value_of<PauseScope>(kScopes, name); }
std::optional<ReplyRule::Kind> parse_rule_kind(std::string_view name)
{
    return value_of<ReplyRule::Kind>(kKinds, name);
}

std::optional<smtp::Phase> parse_reply_phase(std::string_view name)
{
    using smtp::Phase;
    for (const Phase phase :
         {Phase::greeting, Phase::ehlo, Phase::tls, Phase::mail, Phase::rcpt, Phase::data, Phase::body})
        if (smtp::name_of(phase) == name) return phase;
    return std::nullopt;
}

} // namespace penguin::policy
