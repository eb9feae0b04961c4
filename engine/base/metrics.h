// engine/base/metrics.h
// Counters, gauges and histograms, and their Prometheus text. Updates are one atomic operation; the references that a
// Registry gives stay valid as long as it lives. Names carry their unit: penguin_smtp_attempts_total, ..._seconds.
//
//   limits  kSeriesMax label sets a name; the next ones are counted together under the label value "other"
//   source  Prometheus text exposition format 0.0.4
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penguin {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
public:
    void add(std::uint64_t by = 1) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t by) noexcept { value_.fetch_add(by, std::memory_order_relaxed); }
    std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

class Histogram {
public:
    explicit Histogram(std::vector<double> bounds); // upper bounds, ascending; +Inf is added
    void observe(double value) noexcept;

private:
    friend class Registry;
    std::vector<double> bounds_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
    std::atomic<double> sum_{0};
};

class Registry {
public:
    static constexpr std::size_t kSeriesMax = 500; // label sets a name

    Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
    // Bounds count at the first call of a name only.
    Histogram& histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                         const Labels& labels = {});
    // Runs before each exposition, on the caller's thread: for gauges that are read rather than kept.
    void on_expose(std::function<void()> read);

    std::string expose() const;

private:
    struct Series {
        Labels labels;
        std::unique_ptr<Counter> counter;
        std::unique_ptr<Gauge> gauge;
        std::unique_ptr<Histogram> histogram;
    };
    struct Family {
        std::string help;
        std::string type;
        std::map<std::string, Series> series; // by label text
    };
    Series& series(std::string_view name, std::string_view help, std::string_view type, const Labels& labels);

    mutable std::mutex mutex_;
    std::map<std::string, Family, std::less<>> families_;
    std::vector<std::function<void()>> readers_;
};

// 1 ms to 1 h: connection set-up, transactions, accept to delivery.
std::vector<double> latency_bounds_seconds();

} // namespace penguin
