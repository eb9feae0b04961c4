#include "bench/drain/drain.h"

#include <algorithm>
#include <cstdio>

#include <boost/json/array.hpp>

#include "bench/drain/acceptance.h"
#include "bench/drain/signed_bound.h"
#include "bench/harness/report.h"

namespace penguin::bench {

namespace {

constexpr std::size_t kPage = 500;

class Drain {
public:
    Drain(Patience& patience, const DrainOptions& options)
        : patience_{patience},
          options_{options},
          world_{patience, options.world}
    {
    }

    json::object run();

private:
    void wait_for_ledger();
    std::uint64_t delivered_in_ledger();
    double per_second(const Snapshot& from, const Snapshot& to) const
    {
        return static_cast<double>(options_.messages) / std::chrono::duration<double>(to.at - from.at).count();
    }

    Patience& patience_;
    const DrainOptions& options_;
    World world_;
};

std::uint64_t Drain::delivered_in_ledger()
{
    std::uint64_t delivered = 0;
    for (const BenchTenant& tenant : world_.tenants()) {
        HttpClient api = world_.client_of(tenant);
        std::string cursor;
        do {
            const std::string target = "/v1/batches?limit=" + std::to_string(kPage) + cursor;
            const json::value page = bench::run(world_.io(), patience_, api.json("GET", target, ""));
            for (const json::value& batch : page.at("data").as_array())
                delivered += batch.at("counts").at("delivered").to_number<std::uint64_t>();
            const json::value& following = page.at("next_cursor");
            cursor = following.is_null() ? "" : "&cursor=" + std::string{following.as_string()};
        } while (!cursor.empty());
    }
    return delivered;
}

void Drain::wait_for_ledger()
{
    // The metric is cheap to read. It counts deferrals too, so only the batches' counts say that all is there.
    patience_.reach(options_.messages, "events in the ledger",
                    [&] { return static_cast<std::uint64_t>(world_.metric("penguin_ledger_events_total")); });
    patience_.reach(options_.messages, "delivered messages in the ledger", [&] { return delivered_in_ledger(); });
}

json::object Drain::run()
{
    const Snapshot start = world_.look();
    submit_all(patience_, world_, options_, in_turns(world_.tenants(), options_));
    const Snapshot accepted = world_.look();
    world_.release();
    world_.wait_for_arrivals(options_.messages);
    const Snapshot arrived = world_.look();
    wait_for_ledger();
    const Snapshot booked = world_.look();

    const json::object counts = world_.receivers().counts(patience_);
    const Usage sending = between(accepted, arrived);
    const Usage whole = between(accepted, booked); // what a message costs is known when its event is in the ledger
    return {{"messages_per_second", rounded(per_second(accepted, arrived))},
            {"ledger_messages_per_second", rounded(per_second(accepted, booked))},
            {"whole_way_messages_per_second", rounded(per_second(start, arrived))},
            {"cpu_us_per_message", cost_of(whole, options_.messages)},
            {"rss_mb", rounded(whole.peak_mb)},
            {"limit", limit_of(sending)},
            {"accept_messages_per_second", rounded(per_second(start, accepted))},
            {"accept_cpu_us_per_message", cost_of(between(start, accepted), options_.messages)},
            {"repeated", counts.at("messages").to_number<std::uint64_t>() - options_.messages},
            {"connections", counts.at("connections")},
            {"usage", to_json(sending)}};
}

} // namespace

json::object to_json(const DrainOptions& options)
{
    const WorldOptions& world = options.world;
    return {{"messages", options.messages},
            {"size", options.size},
            {"domains", world.domains},
            {"sites", world.sites},
            {"sources", world.sources},
            {"tenants", world.tenants},
            {"dkim", options.dkim},
            {"tls", world.tls},
            {"shards", world.shards},
            {"content", options.distinct ? "distinct" : "same"},
            {"connections", world.connections},
            {"messages_per_connection", world.messages_per_connection},
            {"sink_threads", world.sink_threads},
            {"batch", options.batch},
            {"bound", options.bound}};
}

json::object drain_once(Patience& patience, const DrainOptions& options)
{
    if (!options.bound) return Drain{patience, options}.run();
    const SignedBound bound = measure_bound(patience, options);
    json::object run = Drain{patience, options}.run();
    run["signed_bound"] = to_json(bound, run.at("messages_per_second").to_number<double>());
    return run;
}

std::size_t half_of_drain(Patience& patience, DrainOptions options, std::size_t messages)
{
    options.messages = messages;
    const double reached = drain_once(patience, options).at("messages_per_second").to_number<double>();
    std::printf("drain reaches %.0f messages/s here; half of it is the rate\n", reached);
    std::fflush(stdout);
    return std::max<std::size_t>(1, static_cast<std::size_t>(reached / 2));
}

json::object drain_results(const json::array& runs)
{
    json::object results;
    for (const char* rate : {"messages_per_second", "ledger_messages_per_second", "whole_way_messages_per_second",
                             "accept_messages_per_second"})
        results[rate] = median_of(runs, rate);
    results["spread"] = spread_of(runs, "messages_per_second");
    for (const char* object : {"cpu_us_per_message", "accept_cpu_us_per_message", "rss_mb"})
        results[object] = medians_of(runs, object);
    results["limit"] = usual_of(runs, "limit");
    if (runs.front().as_object().contains("signed_bound")) results["signed_bound"] = medians_of(runs, "signed_bound");
    return results;
}

} // namespace penguin::bench
