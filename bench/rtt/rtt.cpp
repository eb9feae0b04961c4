#include "bench/rtt/rtt.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/harness/letters.h"
#include "bench/harness/proc.h"
#include "bench/harness/report.h"
#include "bench/rtt/far_peer.h"
#include "bench/rtt/span.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr const char* kOurs = "ours";
constexpr const char* kPostfix = "postfix";
constexpr std::size_t kMessagesPerConnection = 100'000; // as many as a case has
constexpr std::size_t kMessagesMax = 100'000;           // of a case
constexpr double kNoDelayRate = 500;                    // messages/s of a connection that a case is prepared for
constexpr std::size_t kNoDelayMax = 10'000;             // messages of a case without a delay
constexpr std::size_t kArrivalsMin = 10;                // that tell a rate
constexpr unsigned kRoundTripsMin = 60;                 // of a case: without PIPELINING a message takes four or five
constexpr std::size_t kBatchMax = 1'000;                // recipients of a submission
constexpr double kMilli = 1e3;
constexpr double kMicro = 1e6;

struct Case {
    std::string mta;
    std::string extension;
    unsigned delay_ms = 0;
    std::size_t connections = 1;

    double bound() const { return static_cast<double>(connections) * kMilli / delay_ms; } // messages/s; of a delay
};

std::vector<Case> cases_of(const RttOptions& options)
{
    std::vector<Case> all;
    for (const std::string& extension : options.extensions)
        for (const std::size_t connections : options.connections)
            for (const unsigned delay : options.delays_ms)
                for (const char* mta : {kOurs, kPostfix})
                    if (mta == kOurs || options.postfix)
                        all.push_back(
                            {.mta = mta, .extension = extension, .delay_ms = delay, .connections = connections});
    return all;
}

std::chrono::milliseconds time_of(const Case& one, const RttOptions& options)
{
    return std::max<std::chrono::milliseconds>(std::chrono::seconds{options.seconds},
                                               std::chrono::milliseconds{one.delay_ms * kRoundTripsMin});
}

// More than can go out in the time of the case.
std::size_t messages_of(const Case& one, const RttOptions& options)
{
    const double seconds = std::chrono::duration<double>(time_of(one, options)).count() + 1;
    const auto connections = static_cast<double>(one.connections);
    if (one.delay_ms == 0) return std::min(kNoDelayMax, static_cast<std::size_t>(kNoDelayRate * connections * seconds));
    return std::min(kMessagesMax, static_cast<std::size_t>(std::ceil(one.bound() * seconds)));
}

WorldOptions world_of(const Case& one, const RttOptions& options)
{
    return {.daemon = options.daemon,
            .work = options.work,
            .connections = one.connections,
            .messages_per_connection = kMessagesPerConnection,
            .sink_log = true,
            .pipelining = one.extension != "none",
            .chunking = one.extension == "chunking",
            .round_trip = std::chrono::milliseconds{one.delay_ms}};
}

void accept(Patience& patience, World& world, std::size_t messages, std::size_t size)
{
    const BenchTenant& tenant = world.tenants().front();
    HttpClient api = world.client_of(tenant);
    const std::string text = letter(tenant.domain, {.size = size, .signed_before = true});
    for (std::size_t first = 0; first < messages; first += kBatchMax) {
        const std::size_t count = std::min(kBatchMax, messages - first);
        const json::value answer =
            bench::run(world.io(), patience, api.json("POST", "/v1/batches", batch_body(text, false, first, count, 1)));
        if (answer.at("accepted").to_number<std::size_t>() != count) throw BenchError{"not all were accepted"};
    }
}

// Until all messages have come, or the time is over that begins with the first.
void watch(Patience& patience, Receivers& receivers, std::size_t messages, std::chrono::milliseconds time)
{
    patience.until(60s, "a message at the sink", [&] { return receivers.messages(patience) > 0; });
    const auto end = steady_clock::now() + time;
    while (steady_clock::now() < end && receivers.messages(patience) < messages) patience.nap(100ms);
}

json::object figures_of(const Case& one, const std::vector<Arrival>& arrivals)
{
    const Span span = steady_span(arrivals);
    if (arrivals.size() < kArrivalsMin || span.seconds == 0)
        throw BenchError{fmt::format("{}, {}, {} ms: {} messages tell no rate: more --seconds, please", one.mta,
                                     one.extension, one.delay_ms, arrivals.size())};
    json::object figures{{"mta", one.mta},
                         {"extension", one.extension},
                         {"delay_ms", one.delay_ms},
                         {"connections", one.connections},
                         {"messages_per_round_trip", nullptr},
                         {"messages_per_second", rounded(span.per_second())},
                         {"bound_messages_per_second", nullptr}};
    if (one.delay_ms > 0) {
        figures["messages_per_round_trip"] = rounded(span.per_second() / one.bound());
        figures["bound_messages_per_second"] = rounded(one.bound());
    }
    figures["span"] = {{"messages", span.messages}, {"seconds", rounded(span.seconds)}};
    figures["connections_used"] = connections_in(arrivals);
    return figures;
}

// A world whose mail has been accepted: World, or FarPeer.
template <class Side>
json::object drain(Patience& patience, Side& side, const Case& one, std::size_t messages,
                   std::chrono::milliseconds time)
{
    const Snapshot before = side.look();
    side.release();
    watch(patience, side.receivers(), messages, time);
    const Usage usage = between(before, side.look());
    const std::vector<Arrival> arrivals = arrivals_of(text_of_file(side.sink_log().string()));
    json::object figures = figures_of(one, arrivals);
    std::map<std::string, double> micros;
    for (const auto& [component, seconds] : usage.cpu_seconds)
        micros[component] = seconds * kMicro / static_cast<double>(arrivals.size());
    figures["cpu_us_per_message"] = rounded(micros);
    figures["limit"] = limit_of(usage);
    figures["usage"] = to_json(usage);
    return figures;
}

json::object measure(Patience& patience, const Case& one, const RttOptions& options)
{
    const std::size_t messages = messages_of(one, options);
    const WorldOptions place = world_of(one, options);
    if (one.mta == kPostfix) {
        FarPeer peer{patience, place};
        peer.accept(messages, options.size);
        return drain(patience, peer, one, messages, time_of(one, options));
    }
    World world{patience, place};
    accept(patience, world, messages, options.size);
    return drain(patience, world, one, messages, time_of(one, options));
}

template <class Value>
json::array array_of(const std::vector<Value>& values)
{
    json::array array;
    for (const Value& value : values) array.emplace_back(value);
    return array;
}

} // namespace

json::object to_json(const RttOptions& options)
{
    return {{"delays_ms", array_of(options.delays_ms)},
            {"connections", array_of(options.connections)},
            {"extensions", array_of(options.extensions)},
            {"seconds", options.seconds},
            {"postfix", options.postfix},
            {"size", options.size}};
}

json::object rtt_once(Patience& patience, const RttOptions& options)
{
    json::array cases;
    for (const Case& one : cases_of(options)) cases.emplace_back(measure(patience, one, options));
    return {{"cases", std::move(cases)}};
}

json::array rtt_results(const json::array& runs)
{
    json::array results;
    for (std::size_t place = 0; place < runs.front().at("cases").as_array().size(); ++place) {
        json::array of_case;
        for (const json::value& run : runs) of_case.push_back(run.at("cases").at(place));
        const json::object& first = of_case.front().as_object();
        const bool delayed = !first.at("bound_messages_per_second").is_null();
        json::object middle;
        for (const char* name : {"mta", "extension", "delay_ms", "connections"}) middle[name] = first.at(name);
        middle["messages_per_round_trip"] = nullptr;
        if (delayed) middle["messages_per_round_trip"] = median_of(of_case, "messages_per_round_trip");
        middle["messages_per_second"] = median_of(of_case, "messages_per_second");
        middle["bound_messages_per_second"] = first.at("bound_messages_per_second");
        results.emplace_back(std::move(middle));
    }
    return results;
}

} // namespace penguin::bench
