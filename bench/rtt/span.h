// bench/rtt/span.h
// The stretch of a run in which mail flowed evenly: connections are open, and there is still work for all. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

namespace penguin::bench {

struct Arrival {
    std::int64_t at_ms = 0; // Unix time
    std::uint64_t connection = 0;
    friend auto operator<=>(const Arrival&, const Arrival&) = default;
};

// Lines of the sink's log, in any order; half a line is left out.
std::vector<Arrival> arrivals_of(std::string_view sink_log);

struct Span {
    std::size_t messages = 0;
    double seconds = 0;
    double per_second() const { return seconds > 0 ? static_cast<double>(messages) / seconds : 0; }
};

// Without the first and the last tenth of the messages. Connections answer in step, so that messages come in bursts: the
// span begins and ends with a message of the same connection, the one that had most, and so holds whole rounds.
// No seconds when no connection had two.
Span steady_span(std::vector<Arrival> arrivals);

std::size_t connections_in(const std::vector<Arrival>& arrivals);

} // namespace penguin::bench
