#include "bench/flow/flow.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <boost/json/parse.hpp>

#include "bench/harness/letters.h"
#include "bench/harness/proc.h"
#include "bench/harness/report.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kSubmitters = 16;
constexpr auto kReadPause = 20ms; // between two calls of one kind
constexpr double kMilli = 1e3;
constexpr double kMicro = 1e6;

double milliseconds(steady_clock::duration time) { return std::chrono::duration<double>(time).count() * kMilli; }

class Flow {
public:
    Flow(Patience& patience, const FlowOptions& options)
        : patience_{patience},
          options_{options},
          world_{patience, options.mail.world},
          submissions_{std::max<std::size_t>(1, options.rate * options.seconds / options.batch)}
    {
    }

    json::object run();

private:
    awaitable<std::string> submit(HttpClient& api, const BenchTenant& tenant, std::size_t first, std::size_t count);
    void warm_up();
    steady_clock::time_point due(std::size_t submission) const
    {
        return start_ + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(
                            static_cast<double>(submission * options_.batch) / static_cast<double>(options_.rate)));
    }
    awaitable<void> submitter(std::size_t number);
    awaitable<void> reader(std::string kind);
    std::string target_of(const std::string& kind) const;
    std::vector<double> latencies() const;

    Patience& patience_;
    const FlowOptions& options_;
    World world_;
    std::size_t submissions_;
    std::size_t next_ = 0;    // submission
    std::size_t running_ = 0; // submitters
    steady_clock::time_point start_;
    std::chrono::system_clock::time_point start_wall_;
    std::string latest_batch_;                           // of the first tenant
    double late_ms_ = 0;                                 // how far behind its time a submission was sent, at most
    std::map<std::string, std::vector<double>> read_ms_; // by kind of call
};

awaitable<std::string> Flow::submit(HttpClient& api, const BenchTenant& tenant, std::size_t first, std::size_t count)
{
    const DrainOptions& mail = options_.mail;
    const std::string text =
        letter(tenant.domain, {.size = mail.size, .signed_before = mail.dkim == "none", .distinct = mail.distinct});
    std::string body = batch_body(text, mail.distinct, first, count, mail.world.domains);
    const json::value answer = co_await api.json("POST", "/v1/batches", std::move(body));
    if (answer.at("accepted").to_number<std::size_t>() != count) throw BenchError{"not all recipients were accepted"};
    co_return std::string{answer.at("id").as_string()};
}

// One message to each domain; numbers 0 to domains - 1.
void Flow::warm_up()
{
    constexpr std::size_t kBatchMax = 10'000;
    const BenchTenant& tenant = world_.tenants().front();
    HttpClient api = world_.client_of(tenant);
    const std::size_t domains = options_.mail.world.domains;
    for (std::size_t first = 0; first < domains; first += kBatchMax) {
        const std::size_t count = std::min(kBatchMax, domains - first);
        latest_batch_ = bench::run(world_.io(), patience_, submit(api, tenant, first, count));
    }
    world_.release();
    world_.wait_for_arrivals(domains);
}

awaitable<void> Flow::submitter(std::size_t number)
{
    const BenchTenant& tenant = world_.tenants()[number % world_.tenants().size()];
    HttpClient api = world_.client_of(tenant);
    asio::steady_timer timer{world_.io()};
    while (next_ < submissions_) {
        const std::size_t mine = next_++;
        timer.expires_at(due(mine));
        co_await timer.async_wait(use_result);
        late_ms_ = std::max(late_ms_, milliseconds(steady_clock::now() - due(mine)));
        const std::size_t first = options_.mail.world.domains + mine * options_.batch;
        std::string batch = co_await submit(api, tenant, first, options_.batch);
        if (&tenant == &world_.tenants().front()) latest_batch_ = std::move(batch);
    }
    --running_;
}

std::string Flow::target_of(const std::string& kind) const
{
    if (kind == "list") return "/v1/batches?limit=100";
    if (kind == "events") return "/v1/events?limit=100";
    if (kind == "batch") return "/v1/batches/" + latest_batch_;
    return "/v1/messages/" + latest_batch_ + ".0";
}

awaitable<void> Flow::reader(std::string kind)
{
    HttpClient api = world_.client_of(world_.tenants().front());
    asio::steady_timer timer{world_.io()};
    std::vector<double>& taken = read_ms_[kind];
    while (running_ > 0) {
        const auto begun = steady_clock::now();
        co_await api.json("GET", target_of(kind), "");
        taken.push_back(milliseconds(steady_clock::now() - begun));
        timer.expires_after(kReadPause);
        co_await timer.async_wait(use_result);
    }
}

std::vector<double> Flow::latencies() const
{
    const auto arrived = arrivals_in(text_of_file(world_.sink_log().string()));
    const double began = std::chrono::duration<double>(start_wall_.time_since_epoch()).count() * kMilli;
    std::vector<double> all;
    all.reserve(submissions_ * options_.batch);
    for (std::size_t i = 0; i < submissions_ * options_.batch; ++i) {
        const auto found = arrived.find(options_.mail.world.domains + i);
        if (found == arrived.end()) throw BenchError{"message " + std::to_string(i) + " did not arrive"};
        const double sent = began + milliseconds(due(i / options_.batch) - start_);
        all.push_back(std::max(0.0, static_cast<double>(found->second) - sent));
    }
    return all;
}

json::object Flow::run()
{
    warm_up();
    const std::size_t messages = submissions_ * options_.batch;
    const Snapshot before = world_.look();
    start_ = steady_clock::now();
    start_wall_ = std::chrono::system_clock::now();
    running_ = kSubmitters;
    constexpr std::array kKinds{"list", "batch", "message", "events"};
    std::vector<awaitable<void>> work;
    work.reserve(kSubmitters + kKinds.size());
    for (std::size_t i = 0; i < kSubmitters; ++i) work.push_back(submitter(i));
    for (const char* kind : kKinds) work.push_back(reader(kind));
    run_all(world_.io(), patience_, std::move(work));
    world_.wait_for_arrivals(options_.mail.world.domains + messages);
    const Usage usage = between(before, world_.look());

    std::map<std::string, double> micros;
    for (const auto& [component, seconds] : usage.cpu_seconds)
        micros[component] = seconds * kMicro / static_cast<double>(messages);
    std::vector<double> reads;
    json::object by_call;
    for (const auto& [kind, taken] : read_ms_) {
        reads.insert(reads.end(), taken.begin(), taken.end());
        by_call[kind] = percentiles_of(taken);
    }
    return {{"rate", options_.rate},
            {"messages_per_second", rounded(static_cast<double>(messages) / usage.seconds)},
            {"accept_to_250_ms", percentiles_of(latencies())},
            {"api_ms", percentiles_of(reads)},
            {"api_calls", reads.size()},
            {"api_ms_by_call", std::move(by_call)},
            {"submitted_late_ms", rounded(late_ms_)},
            {"cpu_us_per_message", rounded(micros)},
            {"rss_mb", rounded(usage.peak_mb)},
            {"limit", limit_of(usage)},
            {"usage", to_json(usage)}};
}

} // namespace

std::map<std::size_t, std::int64_t> arrivals_in(std::string_view sink_log)
{
    std::map<std::size_t, std::int64_t> arrived;
    while (!sink_log.empty()) {
        const std::size_t end = std::min(sink_log.find('\n'), sink_log.size());
        error_code code;
        const json::value line = json::parse(sink_log.substr(0, end), code);
        sink_log.remove_prefix(std::min(end + 1, sink_log.size()));
        if (code) continue; // half a line
        const std::string_view rcpt{line.at("rcpt").as_string()};
        std::size_t number = 0;
        if (!rcpt.starts_with('u')) continue;
        const auto [stop, bad] = std::from_chars(rcpt.data() + 1, rcpt.data() + rcpt.size(), number);
        if (bad == std::errc{}) arrived.try_emplace(number, line.at("time_ms").to_number<std::int64_t>());
    }
    return arrived;
}

json::object to_json(const FlowOptions& options)
{
    json::object object = to_json(options.mail);
    object.erase("messages");
    object["rate"] = options.rate;
    object["seconds"] = options.seconds;
    object["batch"] = options.batch;
    return object;
}

json::object flow_once(Patience& patience, const FlowOptions& options) { return Flow{patience, options}.run(); }

json::object flow_results(const json::array& runs)
{
    json::object results;
    for (const char* object : {"accept_to_250_ms", "api_ms", "cpu_us_per_message", "rss_mb"})
        results[object] = medians_of(runs, object);
    for (const char* name : {"rate", "messages_per_second", "submitted_late_ms"}) results[name] = median_of(runs, name);
    results["limit"] = usual_of(runs, "limit");
    return results;
}

} // namespace penguin::bench
