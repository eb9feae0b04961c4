#include "engine/queue/tenant_limits.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace penguin::queue {

namespace {

constexpr std::array<std::pair<std::string_view, std::chrono::seconds>, 3> kUnits{
    {{"second", std::chrono::seconds{1}}, {"minute", std::chrono::seconds{60}}, {"hour", std::chrono::seconds{3600}}}};

std::optional<std::chrono::seconds> unit_of(std::string_view name)
{
    for (const auto& [unit, seconds] : kUnits)
        if (unit == name) return seconds;
    return std::nullopt;
}

// The whole text as a number.
std::optional<std::int64_t> number_of(std::string_view text)
{
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Up to the next space, which is taken away too.
std::string_view next_word(std::string_view& text)
{
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    return word;
}

} // namespace

Result<std::optional<TenantRate>> TenantRate::parse(std::string_view text)
{
    if (text == kUnlimited) return std::optional<TenantRate>{};
    const std::size_t slash = text.find('/');
    const auto messages = number_of(text.substr(0, slash));
    const auto per = slash == std::string_view::npos ? std::nullopt : unit_of(text.substr(slash + 1));
    if (!messages || *messages < 1 || *messages > kRateMessagesMax || !per)
        return fail(Errc::bad_value, "unlimited, or 1 to 1000000 messages /second, /minute or /hour: 500/hour");
    return std::optional{TenantRate{.messages = static_cast<std::uint32_t>(*messages), .per = *per}};
}

std::string TenantRate::text() const
{
    for (const auto& [unit, seconds] : kUnits)
        if (seconds == per) return fmt::format("{}/{}", messages, unit);
    return fmt::format("{}/{} s", messages, per.count());
}

std::string text_of(const std::optional<TenantRate>& rate) { return rate ? rate->text() : std::string{kUnlimited}; }

std::string stored_text(const TenantLimits& limits)
{
    return fmt::format("{} {} {}", limits.rate ? limits.rate->messages : 0, limits.rate ? limits.rate->per.count() : 0,
                       limits.monthly_quota.value_or(-1));
}

Result<TenantLimits> stored_limits(std::string_view text)
{
    const auto messages = number_of(next_word(text));
    const auto seconds = number_of(next_word(text));
    const auto quota = number_of(text);
    if (!messages || !seconds || !quota || *messages < 0 || *messages > kRateMessagesMax || *seconds < 0)
        return fail(Errc::malformed, "limits of a tenant: not <messages> <seconds> <quota>");
    TenantLimits limits;
    if (*messages > 0)
        limits.rate = {.messages = static_cast<std::uint32_t>(*messages), .per = std::chrono::seconds{*seconds}};
    if (*quota >= 0) limits.monthly_quota = quota;
    return limits;
}

} // namespace penguin::queue
