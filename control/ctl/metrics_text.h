// control/ctl/metrics_text.h
// Prometheus text as samples. Pure.
//
//   in      what GET /metrics answers
//   out     every sample; comments, timestamps and values that are no number are left out
//   errors  malformed: a line that is neither a sample nor a comment
//   limits  kSamplesMax samples
//   source  Prometheus text exposition format 0.0.4
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace penguin::control::ctl {

struct Sample {
    std::string name;
    std::map<std::string, std::string, std::less<>> labels;
    double value = 0;

    std::string_view label(std::string_view name) const; // "" when there is none
};

class Metrics {
public:
    static constexpr std::size_t kSamplesMax = 100'000;

    static Result<Metrics> parse(std::string_view text);

    bool has(std::string_view name) const;
    // Of all samples of that name, or of those with that label.
    double sum(std::string_view name, std::string_view label = {}, std::string_view value = {}) const;
    std::vector<const Sample*> of(std::string_view name) const;
    const std::vector<Sample>& samples() const { return samples_; }

private:
    std::vector<Sample> samples_;
};

} // namespace penguin::control::ctl
