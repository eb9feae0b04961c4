#include "control/ctl/metrics_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace penguin::control::ctl {

namespace {

constexpr std::string_view kBlank = " \t";

std::string_view without_blanks_in_front(std::string_view text)
{
    return text.substr(std::min(text.find_first_not_of(kBlank), text.size()));
}

// The text between quotes at the front of `rest`, escapes undone; takes it off. Nothing: it has no end.
std::optional<std::string> take_quoted(std::string_view& rest)
{
    if (!rest.starts_with('"')) return std::nullopt;
    std::string out;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return out;
        }
        const bool escape = rest[i] == '\\' && i + 1 < rest.size();
        if (escape) ++i;
        out += escape && rest[i] == 'n' ? '\n' : rest[i];
    }
    return std::nullopt;
}

// {a="1",b="2"} at the front of `rest`. False: it is not that.
bool take_labels(std::string_view& rest, Sample& sample)
{
    if (!rest.starts_with('{')) return true;
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '}') {
        const std::size_t equals = rest.find('=');
        if (equals == std::string_view::npos || equals == 0) return false;
        const std::string name{rest.substr(0, equals)};
        rest.remove_prefix(equals + 1);
        std::optional<std::string> value = take_quoted(rest);
        if (!value) return false;
        sample.labels[name] = std::move(*value);
        if (rest.starts_with(',')) rest.remove_prefix(1);
    }
    if (rest.empty()) return false;
    rest.remove_prefix(1);
    return true;
}

// Nothing: not a sample. A value that is no number (NaN, +Inf) is kept as NaN.
std::optional<Sample> sample_of(std::string_view line)
{
    Sample sample;
    const std::size_t name = std::min(line.find_first_of("{ \t"), line.size());
    sample.name = line.substr(0, name);
    line.remove_prefix(name);
    if (sample.name.empty() || !take_labels(line, sample)) return std::nullopt;
    line = without_blanks_in_front(line);
    const std::string_view value = line.substr(0, line.find_first_of(kBlank));
    if (value.empty()) return std::nullopt;
    const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), sample.value);
    if (status != std::errc{} || end != value.data() + value.size() || !std::isfinite(sample.value)) sample.value = NAN;
    return sample;
}

} // namespace

std::string_view Sample::label(std::string_view wanted) const
{
    const auto found = labels.find(wanted);
    return found == labels.end() ? std::string_view{} : std::string_view{found->second};
}

Result<Metrics> Metrics::parse(std::string_view text)
{
    Metrics metrics;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (without_blanks_in_front(line).empty() || line.front() == '#') continue;
        std::optional<Sample> sample = sample_of(line);
        if (!sample) return fail(Errc::malformed, fmt::format("metrics, line {}: is no sample", number));
        if (metrics.samples_.size() == kSamplesMax) return fail(Errc::too_long, "metrics: too many samples");
        if (std::isfinite(sample->value)) metrics.samples_.push_back(std::move(*sample));
    }
    return metrics;
}

bool Metrics::has(std::string_view name) const
{
    return std::ranges::find(samples_, name, &Sample::name) != samples_.end();
}

double Metrics::sum(std::string_view name, std::string_view label, std::string_view value) const
{
    double total = 0;
    for (const Sample& sample : samples_)
        if (sample.name == name && (label.empty() || sample.label(label) == value)) total += sample.value;
    return total;
}

std::vector<const Sample*> Metrics::of(std::string_view name) const
{
    std::vector<const Sample*> found;
    for (const Sample& sample : samples_)
        if (sample.name == name) found.push_back(&sample);
    return found;
}

} // namespace penguin::control::ctl
