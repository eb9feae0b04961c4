// engine/queue/stream_position.h
// The id of an entry of the event stream, "<ms>-<sequence>": they grow, so they compare.
//   errors  bad_value
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::queue {

struct StreamPosition {
    std::uint64_t ms = 0;
    std::uint64_t sequence = 0;

    static Result<StreamPosition> parse(std::string_view text)
    {
        const auto dash = text.find('-');
        StreamPosition out;
        if (dash == std::string_view::npos || !number(text.substr(0, dash), out.ms) ||
            !number(text.substr(dash + 1), out.sequence))
            return fail(Errc::bad_value, "position: not a stream id");
        return out;
    }
    std::string text() const { return std::to_string(ms) + "-" + std::to_string(sequence); }
    friend auto operator<=>(const StreamPosition&, const StreamPosition&) = default;

private:
    static bool number(std::string_view digits, std::uint64_t& value)
    {
        const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return code == std::errc{} && end == digits.data() + digits.size();
    }
};

} // namespace penguin::queue
