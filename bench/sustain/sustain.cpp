#include "bench/sustain/sustain.h"

#include <cmath>

#include <fmt/format.h>

#include "bench/drain/acceptance.h"
#include "bench/harness/letters.h"
#include "bench/harness/report.h"
#include "bench/sink/provider_policy.h"
#include "bench/sustain/course.h"
#include "bench/sustain/naive_sender.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 1s;
constexpr double kToldEveryS = 10; // of the course
constexpr double kKnown = 1e6;     // messages a day that the sender's history supports

SinkProfile profile_of(const SustainOptions& options)
{
    Result<SinkProfile> profile = SinkProfile::read(options.profile);
    if (!profile) throw BenchError{profile.error().detail};
    return std::move(*profile);
}

double rate_of(const SinkProfile& profile)
{
    const Result<double> rate = sustainable_rate(profile);
    if (!rate) throw BenchError{rate.error().detail};
    return *rate;
}

// The bench's sites are this provider's.
std::string rules_of(const SinkProfile& profile)
{
    std::string rules = fmt::format("[[provider]]\nname = \"{}\"\nmx = [\"{}\"]\n", profile.name, kZone);
    if (profile.concurrent_connections) rules += fmt::format("connections = {}\n", profile.concurrent_connections->max);
    if (profile.messages_per_connection)
        rules += fmt::format("messages_per_connection = {}\n", profile.messages_per_connection->max);
    if (profile.tls_required) rules += "tls_required = true\n";
    return rules;
}

std::vector<std::string> sink_words(const SinkProfile& profile, const SustainOptions& options)
{
    std::vector<std::string> words{"--profile", std::filesystem::absolute(options.profile).string()};
    if (profile.reputation) words.insert(words.end(), {"--first-day", fmt::format("{:.0f}", kKnown)});
    return words;
}

std::uint64_t counted(const json::object& counts, std::initializer_list<ProviderReason> reasons)
{
    std::uint64_t sum = 0;
    for (const ProviderReason reason : reasons)
        sum += counts.at("profile").at(std::string{name_of(reason)}).to_number<std::uint64_t>();
    return sum;
}

CourseSample sample_of(const json::object& counts, double at_s)
{
    return {.at_s = at_s,
            .taken = counts.at("messages").to_number<std::uint64_t>(),
            .refused = counted(counts, {ProviderReason::message_rate, ProviderReason::messages_per_day,
                                        ProviderReason::throttled, ProviderReason::deferred, ProviderReason::blocked}),
            .connections_refused =
                counted(counts, {ProviderReason::concurrent_connections, ProviderReason::connection_rate})};
}

// A look each second, until the time is over; `meanwhile` takes the time between two looks.
template <class Meanwhile>
std::vector<CourseSample> watch(Patience& patience, Receivers& receivers, const SustainOptions& options,
                                Meanwhile meanwhile)
{
    const auto begin = std::chrono::steady_clock::now();
    const auto end_s = static_cast<double>(options.find_s + options.keep_s);
    std::vector<CourseSample> samples{{}};
    while (samples.back().at_s < end_s) {
        meanwhile();
        const json::object counts = receivers.counts(patience);
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
        samples.push_back(sample_of(counts, passed.count()));
    }
    return samples;
}

json::object told(const std::vector<CourseSample>& samples, double rate, const SustainOptions& options)
{
    const CourseFigures figures = figures_of(samples, rate, static_cast<double>(options.find_s));
    json::array course;
    double told_until = 0;
    for (const CourseSample& sample : samples) {
        if (sample.at_s < told_until) continue;
        course.push_back(
            json::object{{"seconds", rounded(sample.at_s)}, {"taken", sample.taken}, {"refused", sample.refused}});
        told_until = sample.at_s + kToldEveryS;
    }
    json::value found;
    if (figures.found_after_s) found = rounded(*figures.found_after_s);
    return {{"share", rounded(figures.share)},   {"deferred", rounded(figures.deferred)},
            {"found_after_s", std::move(found)}, {"taken", samples.back().taken},
            {"refused", samples.back().refused}, {"connections_refused", samples.back().connections_refused},
            {"course", std::move(course)}};
}

std::vector<CourseSample> watch_engine(Patience& patience, const SustainOptions& options, const SinkProfile& profile,
                                       double rate)
{
    constexpr double kPlenty = 2; // messages, in what the provider takes
    DrainOptions mail = options.mail;
    mail.messages =
        static_cast<std::size_t>(std::ceil(rate * kPlenty * static_cast<double>(options.find_s + options.keep_s))) +
        profile.message_rate->max;
    mail.world.sites = 1;
    mail.world.tls = profile.tls != ProviderTls::none;
    mail.world.sink_options = sink_words(profile, options);
    mail.world.rules = rules_of(profile);
    World world{patience, mail.world};
    submit_all(patience, world, mail, in_turns(world.tenants(), mail));
    world.release();
    return watch(patience, world.receivers(), options, [&] { patience.nap(kLook); });
}

std::vector<CourseSample> watch_naive(Patience& patience, const SustainOptions& options, const SinkProfile& profile,
                                      double rate)
{
    const WorldFolder folder{options.mail.world.work};
    const std::uint16_t port = free_port({site_address(0)});
    const bool tls = profile.tls != ProviderTls::none;
    Receivers receivers{
        patience, folder.path() / "sink", {.port = port, .tls = tls, .more = sink_words(profile, options)}};
    NaiveSender sender{{.server = {asio::ip::make_address(site_address(0)), port},
                        .tls = tls,
                        .rate = rate * options.naive_factor,
                        .domains = options.mail.world.domains,
                        .message = letter(sender_domain(0), {.size = options.mail.size, .signed_before = true})}};
    asio::io_context io{1};
    sender.start(io);
    return watch(patience, receivers, options, [&] {
        io.run_for(kLook);
        patience.check();
    });
}

} // namespace

json::object to_json(const SustainOptions& options)
{
    return {{"profile", options.profile.filename().string()},
            {"find_s", options.find_s},
            {"keep_s", options.keep_s},
            {"naive_factor", options.naive_factor},
            {"size", options.mail.size},
            {"domains", options.mail.world.domains},
            {"connections", options.mail.world.connections},
            {"shards", options.mail.world.shards}};
}

json::object sustain_once(Patience& patience, const SustainOptions& options)
{
    const SinkProfile profile = profile_of(options);
    const double rate = rate_of(profile);
    json::object out{{"sustainable_per_second", rounded(rate)}};
    out["engine"] = told(watch_engine(patience, options, profile, rate), rate, options);
    out["naive"] = told(watch_naive(patience, options, profile, rate), rate, options);
    return out;
}

json::object sustain_results(const json::array& runs)
{
    json::object out{{"sustainable_per_second", median_of(runs, "sustainable_per_second")}};
    for (const char* who : {"engine", "naive"}) {
        const std::string path = std::string{who} + ".";
        bool found = true; // in each run
        for (const json::value& run : runs) found = found && !run.at(who).at("found_after_s").is_null();
        json::value after;
        if (found) after = median_of(runs, path + "found_after_s");
        out[who] = {{"share", median_of(runs, path + "share")},
                    {"deferred", median_of(runs, path + "deferred")},
                    {"connections_refused", median_of(runs, path + "connections_refused")},
                    {"found_after_s", std::move(after)},
                    {"course", runs.front().at(who).at("course")}};
    }
    return out;
}

} // namespace penguin::bench
