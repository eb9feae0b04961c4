// When the sink took each message, read from its log while that grows; and what such times say of fairness.
//
//   limits  holds one entry a message that arrived
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

namespace penguin::bench {

struct Recipients { // by number: see recipient_address
    std::size_t first = 0;
    std::size_t count = 0;
};

class Arrivals {
public:
    explicit Arrivals(std::filesystem::path sink_log) : log_{std::move(sink_log)} {}

    // What the sink wrote since the last call. Half a line waits for its end.
    void read();
    std::size_t count_of(const Recipients& wanted) const;
    // Unix ms, the earliest first.
    std::vector<std::int64_t> times_of(const Recipients& wanted) const;

private:
    std::filesystem::path log_;
    std::size_t at_ = 0; // octets of the log that were read
    std::map<std::size_t, std::int64_t> all_;
};

// What each time is behind `begin`, in ms; not less than 0.
std::vector<double> waits_of(const std::vector<std::int64_t>& times, std::int64_t begin);

// How far two shares are from 1 : weight, as a part of what each should be: the larger of both. `of_one`, `of_other`: what
// they got; the other has the weight.
double share_error(std::size_t of_one, std::size_t of_other, double weight);

// The largest of (wait of the k-th message) / (k turns of everybody), a turn of everybody taking `round_ms`.
double worst_ratio(const std::vector<double>& waits_ms, double round_ms);

} // namespace penguin::bench
