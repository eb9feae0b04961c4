#include "engine/base/metrics.h"

#include <algorithm>

#include <fmt/format.h>

namespace penguin {

namespace {

std::string escaped(std::string_view value)
{
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"')
            (out += '\\') += c;
        else if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out;
}

// {a="1",b="2"}, or nothing.
std::string label_text(const Labels& labels)
{
    if (labels.empty()) return {};
    std::string out = "{";
    for (const auto& [name, value] : labels) {
        if (out.size() > 1) out += ',';
        out += fmt::format("{}=\"{}\"", name, escaped(value));
    }
    return out += '}';
}

Labels with(Labels labels, std::string name, std::string value)
{
    labels.emplace_back(std::move(name), std::move(value));
    return labels;
}

Labels others(Labels labels)
{
    for (auto& [name, value] : labels) value = "other";
    return labels;
}

} // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_{std::move(bounds)},
      buckets_{std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)}
{
}

void Histogram::observe(double value) noexcept
{
    const auto place = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    buckets_[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Registry::Series& Registry::series(std::string_view name, std::string_view help, std::string_view type,
                                   const Labels& labels)
{
    Family& family = families_.try_emplace(std::string{name}).first->second;
    if (family.type.empty()) {
        family.help = help;
        family.type = type;
    }
    std::string text = label_text(labels);
    if (family.series.size() >= kSeriesMax && !family.series.contains(text)) {
        const Labels collected = others(labels);
        Series& found = family.series[label_text(collected)];
        found.labels = collected;
        return found;
    }
    Series& found = family.series[std::move(text)];
    found.labels = labels;
    return found;
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels)
{
    const std::lock_guard lock{mutex_};
    Series& found = series(name, help, "counter", labels);
    if (!found.counter) found.counter = std::make_unique<Counter>();
    return *found.counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels)
{
    const std::lock_guard lock{mutex_};
    Series& found = series(name, help, "gauge", labels);
    if (!found.gauge) found.gauge = std::make_unique<Gauge>();
    return *found.gauge;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                               const Labels& labels)
{
    const std::lock_guard lock{mutex_};
    Series& found = series(name, help, "histogram", labels);
    if (!found.histogram) found.histogram = std::make_unique<Histogram>(bounds);
    return *found.histogram;
}

void Registry::on_expose(std::function<void()> read)
{
    const std::lock_guard lock{mutex_};
    readers_.push_back(std::move(read));
}

std::string Registry::expose() const
{
    std::vector<std::function<void()>> readers;
    {
        const std::lock_guard lock{mutex_};
        readers = readers_;
    }
    for (const auto& read : readers) read();

    const std::lock_guard lock{mutex_};
    std::string out;
    for (const auto& [name, family] : families_) {
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
        for (const auto& [text, one] : family.series) {
            if (one.counter) out += fmt::format("{}{} {}\n", name, text, one.counter->value());
            if (one.gauge) out += fmt::format("{}{} {}\n", name, text, one.gauge->value());
            if (!one.histogram) continue;
            const Histogram& histogram = *one.histogram;
            std::uint64_t total = 0;
            for (std::size_t i = 0; i <= histogram.bounds_.size(); ++i) {
                total += histogram.buckets_[i].load(std::memory_order_relaxed);
                const std::string bound =
                    i == histogram.bounds_.size() ? "+Inf" : fmt::format("{}", histogram.bounds_[i]);
                out += fmt::format("{}_bucket{} {}\n", name, label_text(with(one.labels, "le", bound)), total);
            }
            out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, text,
                               histogram.sum_.load(std::memory_order_relaxed), name, text, total);
        }
    }
    return out;
}

std::vector<double> latency_bounds_seconds()
{
    return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600};
}

} // namespace penguin
