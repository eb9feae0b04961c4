#include "bench/scale/scale.h"

#include <algorithm>

#include <boost/json/value_from.hpp>
#include <fmt/format.h>

#include "bench/drain/acceptance.h"
#include "bench/harness/report.h"
#include "bench/harness/statistics.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 1'000;        // recipients of a submission
constexpr std::size_t kBatchOfMailbox = 50;  // on the axis of sources
constexpr std::size_t kMessagesATenant = 10; // at least: what a claim takes of one
constexpr auto kLook = 100ms;                // between two looks whether all is done
constexpr const char* kQueued = "queued";
constexpr const char* kTenants = "tenants";
constexpr const char* kDomains = "domains";
constexpr const char* kSources = "sources";

std::string mailbox_of(std::size_t number) { return fmt::format("01900000-0000-7000-8000-{:012x}", number); }

// One message to each recipient domain, from the warm pool.
void warm_up(Patience& patience, World& world, const DrainOptions& mail)
{
    DrainOptions one_each = mail;
    one_each.messages = mail.world.domains;
    one_each.batch = kBatch;
    submit_all(patience, world, one_each, in_turns(world.warm_tenants(), one_each));
    world.release_warm();
}

void wait_for_delivered(Patience& patience, World& world, std::size_t messages)
{
    patience.reach(
        messages, "delivered messages in the ledger",
        [&] { return static_cast<std::uint64_t>(world.metric("penguin_accept_to_delivered_seconds_count")); }, kLook);
}

std::vector<Submission> submissions_of(const std::string& axis, const World& world, const DrainOptions& mail)
{
    std::vector<Submission> all = in_turns(world.tenants(), mail, mail.world.domains);
    for (std::size_t number = 0; number < all.size(); ++number) {
        if (axis == kSources) all[number].mailbox = mailbox_of(number);
        // Tenants have contents of their own: so that these do not grow, each batch has its own at all values.
        if (axis == kTenants) all[number].mark = std::to_string(number);
    }
    return all;
}

json::object figures_of(const DrainOptions& mail, const Usage& usage)
{
    json::object micros = cost_of(usage, mail.messages);
    micros.erase(kClient);
    double all = 0;
    for (const auto& [component, value] : micros) all += value.to_number<double>();
    return {{"messages", mail.messages},
            {"cpu_us_per_message", rounded(all)},
            {"by_component", std::move(micros)},
            {"messages_per_second", rounded(static_cast<double>(mail.messages) / usage.seconds)},
            {"rss_mb", rounded(usage.peak_mb.at(kDaemon))},
            {"redis_mb", rounded(usage.peak_mb.at(kRedis))}};
}

json::object measure_point(Patience& patience, const std::string& axis, std::size_t value, const DrainOptions& mail)
{
    World world{patience, mail.world};
    const std::size_t warm = mail.world.domains;
    warm_up(patience, world, mail);
    wait_for_delivered(patience, world, warm);

    const std::uint64_t empty = world.redis_memory().used;
    world.release_to_queue();
    submit_all(patience, world, mail, submissions_of(axis, world, mail));
    patience.reach(
        warm + mail.messages, "messages in Redis",
        [&] { return static_cast<std::uint64_t>(world.metric("penguin_pump_enqueued_total")); }, kLook);
    const std::uint64_t full = world.redis_memory().used;

    const Snapshot before = world.look();
    world.let_go();
    wait_for_delivered(patience, world, warm + mail.messages);
    json::object point = figures_of(mail, between(before, world.look()));
    const std::uint64_t taken = world.receivers().messages(patience);
    point["value"] = value;
    point["redis_octets_per_message"] =
        rounded((static_cast<double>(full) - static_cast<double>(empty)) / static_cast<double>(mail.messages));
    point["repeated"] = taken - warm - mail.messages;
    return point;
}

// Null when the points do not say.
json::value exponent_in(const json::array& points)
{
    std::vector<Point> curve;
    for (const json::value& point : points)
        curve.push_back(
            {.x = point.at("value").to_number<double>(), .y = point.at("cpu_us_per_message").to_number<double>()});
    const std::optional<double> exponent = exponent_of(curve);
    return exponent ? json::value(rounded(*exponent)) : json::value(nullptr);
}

json::object axis_of(const std::string& axis, json::array points)
{
    json::value exponent = exponent_in(points);
    return {{"axis", axis}, {"points", std::move(points)}, {"exponent", std::move(exponent)}};
}

// Point number `place` of an axis: the median of each figure over the runs.
json::object median_point(const json::array& runs, std::size_t axis, std::size_t place)
{
    json::array points;
    for (const json::value& run : runs) points.push_back(run.at("axes").at(axis).at("points").at(place));
    json::object point = points.front().as_object();
    for (auto& [name, value] : point)
        value = value.is_object() ? json::value(medians_of(points, name)) : json::value(median_of(points, name));
    return point;
}

} // namespace

const std::vector<std::string>& scale_axes()
{
    static const std::vector<std::string> all{kQueued, kTenants, kDomains, kSources};
    return all;
}

std::vector<std::size_t> values_of(const std::string& axis, const ScaleOptions& options)
{
    if (!options.values.empty()) {
        std::vector<std::size_t> values = options.values;
        std::ranges::sort(values);
        return values;
    }
    if (axis == kQueued) return {1'000, 10'000, 100'000, 1'000'000};
    if (axis == kTenants) return {1, 10, 100, 1'000, 10'000};
    if (axis == kDomains) return {20, 100, 1'000, 10'000, 100'000};
    return {1, 5, 20, 100, 200};
}

DrainOptions mail_at(const std::string& axis, std::size_t value, const ScaleOptions& options)
{
    DrainOptions mail = options.mail;
    const std::size_t most = values_of(axis, options).back();
    mail.batch = kBatch;
    if (axis == kQueued) {
        mail.messages = value;
    } else if (axis == kTenants) {
        mail.world.tenants = value;
        mail.messages = std::max(mail.messages, kMessagesATenant * most);
        mail.batch = std::clamp<std::size_t>(mail.messages / most, 1, kBatch); // as many batches at each value
    } else if (axis == kDomains) {
        mail.world.domains = value;
        mail.messages = std::max(mail.messages, most);
    } else {
        mail.world.sources = value;
        mail.messages = std::max(mail.messages, kMessagesALane * mail.world.sites * most);
        mail.batch = kBatchOfMailbox;
    }
    return mail;
}

json::object to_json(const ScaleOptions& options)
{
    json::object object = to_json(options.mail);
    object.erase("batch");
    json::object axes;
    for (const std::string& axis : options.axes) axes[axis] = json::value_from(values_of(axis, options));
    object["axes"] = std::move(axes);
    object["site_connections"] = options.mail.world.site_connections;
    return object;
}

json::object scale_once(Patience& patience, const ScaleOptions& options)
{
    json::array axes;
    for (const std::string& axis : options.axes) {
        json::array points;
        for (const std::size_t value : values_of(axis, options)) {
            json::object point = measure_point(patience, axis, value, mail_at(axis, value, options));
            if (options.on_point) options.on_point(axis, point);
            points.emplace_back(std::move(point));
        }
        axes.emplace_back(axis_of(axis, std::move(points)));
    }
    return {{"axes", std::move(axes)}};
}

json::object scale_results(const json::array& runs)
{
    json::array axes;
    const json::array& first = runs.front().at("axes").as_array();
    for (std::size_t axis = 0; axis < first.size(); ++axis) {
        json::array points;
        for (std::size_t place = 0; place < first[axis].at("points").as_array().size(); ++place)
            points.emplace_back(median_point(runs, axis, place));
        axes.emplace_back(axis_of(std::string{first[axis].at("axis").as_string()}, std::move(points)));
    }
    json::object results;
    if (axes.size() == 1) results = axes.front().as_object();
    results["axes"] = std::move(axes);
    return results;
}

} // namespace penguin::bench
