#include "engine/base/units.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace penguin {

namespace {

using std::chrono::milliseconds;

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};
constexpr std::array<Unit, 5> kTimeUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizeUnits{{{"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"B", 1}}};
constexpr std::uint64_t kNumberMax = 1'000'000'000; // of one unit: keeps sums far from overflow

// Takes a number from the front of `text`.
Result<std::uint64_t> take_number(std::string_view& text)
{
    std::uint64_t number = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (status != std::errc{} || number > kNumberMax) return fail(Errc::bad_value, "no number");
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::string_view take_letters(std::string_view& text)
{
    const std::size_t end = std::min(text.find_first_of("0123456789"), text.size());
    const std::string_view letters = text.substr(0, end);
    text.remove_prefix(end);
    return letters;
}

} // namespace

Result<milliseconds> parse_duration(std::string_view text)
{
    const auto malformed = [] {
        return fail(Errc::bad_value, R"(must be a time such as "500ms", "30s", "5m" or "4d12h")");
    };
    if (text.empty()) return malformed();
    std::uint64_t total = 0;
    std::uint64_t last_factor = UINT64_MAX; // units come in falling order, each once
    while (!text.empty()) {
        const Result<std::uint64_t> number = take_number(text);
        if (!number) return malformed();
        const std::string_view name = take_letters(text);
        const auto* const unit = std::ranges::find(kTimeUnits, name, &Unit::name);
        if (unit == kTimeUnits.end() || unit->factor >= last_factor) return malformed();
        last_factor = unit->factor;
        total += *number * unit->factor;
    }
    return milliseconds{total};
}

std::string duration_text(milliseconds time)
{
    std::string out;
    auto rest = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    for (const Unit& unit : kTimeUnits) {
        if (rest >= unit.factor) out += fmt::format("{}{}", rest / unit.factor, unit.name);
        rest %= unit.factor;
    }
    return out.empty() ? "0s" : out;
}

Result<std::uint64_t> parse_size(std::string_view text)
{
    const auto malformed = [] {
        return fail(Errc::bad_value, R"(must be a size such as "64KiB", "256MiB" or "1GiB")");
    };
    const Result<std::uint64_t> number = take_number(text);
    if (!number) return malformed();
    const auto* const unit = std::ranges::find(kSizeUnits, text, &Unit::name);
    if (unit == kSizeUnits.end()) return malformed();
    return *number * unit->factor;
}

std::string size_text(std::uint64_t size)
{
    for (const Unit& unit : {kSizeUnits[2], kSizeUnits[1], kSizeUnits[0]})
        if (size >= unit.factor && size % unit.factor == 0) return fmt::format("{}{}", size / unit.factor, unit.name);
    return fmt::format("{}B", size);
}

} // namespace penguin
