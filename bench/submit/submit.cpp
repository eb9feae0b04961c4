#include "bench/submit/submit.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "bench/harness/letters.h"
#include "bench/harness/report.h"
#include "bench/harness/statistics.h"

namespace penguin::bench {

namespace {

using std::chrono::steady_clock;

constexpr const char* kBatches = "batches";
constexpr const char* kInject = "inject";
constexpr double kMicro = 1e6;
constexpr double kMilli = 1e3;

struct Case {
    std::string call; // kBatches, kInject
    std::size_t batch = 1;
    std::size_t clients = 1;
};

std::vector<Case> cases_of(const SubmitOptions& options)
{
    std::vector<Case> cases;
    for (const std::size_t batch : options.batches)
        for (const std::size_t clients : options.clients)
            cases.push_back({.call = kBatches, .batch = batch, .clients = clients});
    if (options.inject_clients > 0) cases.push_back({.call = kInject, .batch = 1, .clients = options.inject_clients});
    return cases;
}

class Submit {
public:
    Submit(Patience& patience, const SubmitOptions& options)
        : patience_{patience},
          options_{options},
          world_{patience, options.world}
    {
    }

    json::object run();

private:
    json::object measure(const Case& one);
    awaitable<void> client(const Case& one, std::size_t number, steady_clock::time_point end);
    std::string body_of(const Case& one, const BenchTenant& tenant);

    Patience& patience_;
    const SubmitOptions& options_;
    World world_;
    std::size_t next_ = 0; // number of the next recipient: nobody gets two
    std::uint64_t accepted_ = 0;
    std::vector<double> milliseconds_; // of each call
};

std::string Submit::body_of(const Case& one, const BenchTenant& tenant)
{
    const std::size_t first = next_;
    next_ += one.batch;
    const std::string mark = options_.distinct ? fmt::format("call {}", first) : "";
    const std::string text = letter(tenant.domain, {.size = options_.size, .mark = mark});
    if (one.call == kBatches) return batch_body(text, false, first, one.batch, options_.world.domains);
    return inject_body("sales@" + tenant.domain, text, first, options_.world.domains);
}

awaitable<void> Submit::client(const Case& one, std::size_t number, steady_clock::time_point end)
{
    const BenchTenant& tenant = world_.tenants()[number % world_.tenants().size()];
    HttpClient api = world_.client_of(tenant);
    const bool batches = one.call == kBatches;
    while (steady_clock::now() < end) {
        std::string body = body_of(one, tenant);
        const auto start = steady_clock::now();
        const json::value answer =
            co_await api.json("POST", batches ? "/v1/batches" : "/api/inject/v1", std::move(body));
        const std::chrono::duration<double> took = steady_clock::now() - start;
        milliseconds_.push_back(took.count() * kMilli);
        const auto taken = answer.at(batches ? "accepted" : "success_count").to_number<std::uint64_t>();
        if (taken != one.batch) throw BenchError{one.call + ": not all were accepted: " + json::serialize(answer)};
        accepted_ += taken;
    }
}

json::object Submit::measure(const Case& one)
{
    accepted_ = 0;
    milliseconds_.clear();
    const Snapshot before = world_.look();
    const auto end = steady_clock::now() + std::chrono::seconds{options_.seconds};
    std::vector<awaitable<void>> clients;
    clients.reserve(one.clients);
    for (std::size_t number = 0; number < one.clients; ++number) clients.push_back(client(one, number, end));
    run_all(world_.io(), patience_, std::move(clients));
    const Usage usage = between(before, world_.look());

    std::map<std::string, double> micros;
    for (const auto& [component, seconds] : usage.cpu_seconds)
        micros[component] = seconds * kMicro / static_cast<double>(accepted_);
    return {{"call", one.call},
            {"batch", one.batch},
            {"clients", one.clients},
            {"recipients_per_second", rounded(static_cast<double>(accepted_) / usage.seconds)},
            {"requests_per_second", rounded(static_cast<double>(milliseconds_.size()) / usage.seconds)},
            {"p50_ms", rounded(percentile(milliseconds_, 0.5))},
            {"p95_ms", rounded(percentile(milliseconds_, 0.95))},
            {"p99_ms", rounded(percentile(milliseconds_, 0.99))},
            {"max_ms", rounded(percentile(milliseconds_, 1))},
            {"cpu_us_per_recipient", rounded(micros)},
            {"rss_mb", rounded(usage.peak_mb)},
            {"limit", limit_of(usage)},
            {"usage", to_json(usage)}};
}

json::object Submit::run()
{
    json::array cases;
    for (const Case& one : cases_of(options_)) cases.emplace_back(measure(one));
    return {{"cases", std::move(cases)}};
}

// The runs of the case at this place, as runs of their own.
json::array runs_of_case(const json::array& runs, std::size_t place)
{
    json::array all;
    for (const json::value& run : runs) all.push_back(run.at("cases").at(place));
    return all;
}

json::object middle_of(const json::array& runs)
{
    json::object middle;
    for (const char* name : {"call", "batch", "clients"}) middle[name] = runs.front().at(name);
    for (const char* name : {"recipients_per_second", "requests_per_second", "p50_ms", "p95_ms", "p99_ms", "max_ms"})
        middle[name] = median_of(runs, name);
    middle["spread"] = spread_of(runs, "recipients_per_second");
    for (const char* name : {"cpu_us_per_recipient", "rss_mb"}) middle[name] = medians_of(runs, name);
    middle["limit"] = usual_of(runs, "limit");
    return middle;
}

json::array array_of(const std::vector<std::size_t>& numbers)
{
    json::array array;
    for (const std::size_t number : numbers) array.emplace_back(number);
    return array;
}

} // namespace

json::object to_json(const SubmitOptions& options)
{
    return {{"batch", array_of(options.batches)},
            {"clients", array_of(options.clients)},
            {"inject_clients", options.inject_clients},
            {"size", options.size},
            {"content", options.distinct ? "distinct" : "same"},
            {"seconds", options.seconds},
            {"tenants", options.world.tenants},
            {"domains", options.world.domains}};
}

json::object submit_once(Patience& patience, const SubmitOptions& options) { return Submit{patience, options}.run(); }

json::object submit_results(const json::array& runs)
{
    json::object results;
    json::array cases;
    double largest = 0;
    for (std::size_t place = 0; place < runs.front().at("cases").as_array().size(); ++place) {
        json::object one = middle_of(runs_of_case(runs, place));
        if (one.at("call").as_string() == kInject) {
            for (const char* name : {"requests_per_second", "p50_ms", "p95_ms", "p99_ms"}) results[name] = one.at(name);
        } else {
            const auto batch = one.at("batch").to_number<double>();
            const auto rate = one.at("recipients_per_second").to_number<double>();
            const bool better = batch > largest || rate > results["recipients_per_second"].to_number<double>();
            if (batch >= largest && better) results["recipients_per_second"] = rate;
            largest = std::max(largest, batch);
        }
        cases.emplace_back(std::move(one));
    }
    results["cases"] = std::move(cases);
    return results;
}

} // namespace penguin::bench
