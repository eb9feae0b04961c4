#include "bench/fairness/fairness.h"

#include <algorithm>
#include <chrono>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "bench/drain/acceptance.h"
#include "bench/fairness/arrivals.h"
#include "bench/harness/letters.h"
#include "bench/harness/report.h"
#include "bench/harness/statistics.h"
#include "engine/base/clock.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 10'000;        // recipients of a submission of those that have much
constexpr std::size_t kLate = 1'000'000'000;  // numbers of the recipients of who comes later begin there
constexpr std::size_t kHeavy = 2'000'000'000; // and of the heavy one
constexpr auto kLook = 50ms;
constexpr double kMilli = 1e3;

std::int64_t now_ms() { return to_unix_ms(wall_now()); }

DrainOptions mail_of(const FairnessOptions& options, std::size_t tenants)
{
    constexpr std::size_t kRedisMb = 512; // and for each thousand that waits
    constexpr std::size_t kWaitingOfAMegabyte = 1'000;
    DrainOptions mail = options.mail;
    mail.batch = kBatch;
    mail.world.sites = 1;
    mail.world.sources = 1;
    mail.world.tenants = tenants;
    mail.world.pace = options.rate;
    mail.world.sink_log = true;
    mail.world.redis_mb = kRedisMb + options.waiting / kWaitingOfAMegabyte;
    return mail;
}

// One world with its mail, and what has come of it.
class Scene {
public:
    Scene(Patience& patience, const FairnessOptions& options, std::size_t tenants)
        : patience_{patience},
          options_{options},
          mail_{mail_of(options, tenants)},
          world_{patience, mail_.world},
          arrivals_{world_.sink_log()}
    {
    }

    const BenchTenant& tenant(std::size_t number) const { return world_.tenants()[number]; }
    void weigh(const BenchTenant& tenant, double weight);
    // `options.waiting` of the first so many tenants together, all in Redis, and going out.
    void begin_sending(std::size_t tenants);
    // Gives when it was sent, Unix ms.
    std::int64_t submit(const BenchTenant& tenant, const Recipients& recipients, const char* priority);
    void wait_for(const Recipients& recipients, std::size_t count);
    void wait_until_queued(std::size_t messages);
    std::vector<std::int64_t> times_of(const Recipients& recipients) const { return arrivals_.times_of(recipients); }
    std::size_t count_between(const Recipients& recipients, std::int64_t begin, std::int64_t end) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(
            times_of(recipients), [=](std::int64_t time) { return time >= begin && time < end; }));
    }
    // When all of them are there.
    std::vector<double> waits_of_late(const BenchTenant& tenant, const Recipients& recipients, const char* priority)
    {
        const std::int64_t begin = submit(tenant, recipients, priority);
        wait_for(recipients, recipients.count);
        return waits_of(times_of(recipients), begin);
    }

private:
    Patience& patience_;
    const FairnessOptions& options_;
    DrainOptions mail_;
    World world_;
    Arrivals arrivals_;
};

void Scene::weigh(const BenchTenant& tenant, double weight)
{
    HttpClient admin = world_.admin();
    run(world_.io(), patience_,
        admin.json("PATCH", "/v1/tenants/" + tenant.id, json::serialize(json::object{{"weight", weight}})));
}

void Scene::begin_sending(std::size_t tenants)
{
    DrainOptions mail = mail_;
    mail.messages = options_.waiting;
    mail.batch = std::clamp<std::size_t>(options_.waiting / tenants, 1, kBatch);
    submit_all(patience_, world_, mail, in_turns(world_.tenants().first(tenants), mail));
    world_.release();
    wait_until_queued(options_.waiting);
    world_.wait_for_arrivals(options_.rate); // connections are open, and the site has been full for a while
}

std::int64_t Scene::submit(const BenchTenant& tenant, const Recipients& recipients, const char* priority)
{
    const std::string text = letter(tenant.domain, {.size = mail_.size, .signed_before = true});
    json::value body = json::parse(batch_body(text, false, recipients.first, recipients.count, mail_.world.domains));
    body.as_object()["priority"] = priority;
    HttpClient api = world_.client_of(tenant);
    const std::int64_t begin = now_ms();
    const json::value answer = run(world_.io(), patience_, api.json("POST", "/v1/batches", json::serialize(body)));
    if (answer.at("accepted").to_number<std::size_t>() != recipients.count)
        throw BenchError{"not all recipients were accepted"};
    return begin;
}

void Scene::wait_for(const Recipients& recipients, std::size_t count)
{
    patience_.reach(
        count, "messages of the tenant that came later",
        [&] {
            arrivals_.read();
            return arrivals_.count_of(recipients);
        },
        kLook);
}

void Scene::wait_until_queued(std::size_t messages)
{
    patience_.reach(
        messages, "messages in Redis",
        [&] { return static_cast<std::uint64_t>(world_.metric("penguin_pump_enqueued_total")); }, kLook);
}

json::object waits_json(const std::vector<double>& waits)
{
    return {{"p50_ms", percentile(waits, 0.5)}, {"p95_ms", percentile(waits, 0.95)}, {"max_ms", percentile(waits, 1)}};
}

// The heavy tenant has more than its share can take; what it got is counted from when its mail began to arrive.
json::object weigh_shares(Scene& scene, const FairnessOptions& options, const Recipients& first)
{
    constexpr double kShare = kHeavyWeight / (1 + kHeavyWeight);
    constexpr double kSpare = 1.5;
    const double needed = static_cast<double>(options.rate * (options.seconds + 10)) * kShare * kSpare;
    const Recipients all{.first = kHeavy, .count = static_cast<std::size_t>(needed)};
    for (std::size_t done = 0; done < all.count; done += kBatch)
        scene.submit(scene.tenant(2), {.first = all.first + done, .count = std::min(kBatch, all.count - done)},
                     "normal");
    scene.wait_for(all, options.rate); // a second and a bit
    const std::int64_t begin = now_ms();
    const std::int64_t end = begin + static_cast<std::int64_t>(options.seconds) * 1'000;
    std::size_t had = options.rate;
    while (now_ms() < end + 100) scene.wait_for(all, had += options.rate / 2);
    const std::size_t light = scene.count_between(first, begin, end);
    const std::size_t heavy = scene.count_between(all, begin, end);
    if (scene.times_of(first).size() + options.rate > first.count)
        throw BenchError{"the first tenant had nothing left to send: more --waiting, please"};
    return {
        {"share_error", rounded(share_error(light, heavy, kHeavyWeight))},
        {"light", light},
        {"heavy", heavy},
        {"messages_per_second", rounded(static_cast<double>(light + heavy) / static_cast<double>(options.seconds))}};
}

json::object thousand(Patience& patience, const FairnessOptions& options)
{
    Scene scene{patience, options, options.tenants + 1};
    scene.begin_sending(options.tenants);
    const std::vector<double> waits =
        scene.waits_of_late(scene.tenant(options.tenants), {.first = kLate, .count = options.late_messages}, "normal");
    const double round_ms = static_cast<double>(options.tenants + 1) / static_cast<double>(options.rate) * kMilli;
    json::array each;
    for (const double wait : waits) each.emplace_back(wait);
    return {
        {"worst_ratio", rounded(worst_ratio(waits, round_ms))}, {"round_ms", round_ms}, {"waits_ms", std::move(each)}};
}

} // namespace

json::object to_json(const FairnessOptions& options)
{
    return {{"waiting", options.waiting},
            {"rate", options.rate},
            {"messages", options.messages},
            {"high", options.high},
            {"seconds", options.seconds},
            {"tenants", options.tenants},
            {"late_messages", options.late_messages},
            {"size", options.mail.size},
            {"connections", options.mail.world.connections},
            {"shards", options.mail.world.shards}};
}

json::object fairness_once(Patience& patience, const FairnessOptions& options)
{
    json::object out;
    {
        Scene scene{patience, options, 3}; // who has much, who comes later, the heavy one
        const Recipients first{.first = 0, .count = options.waiting};
        scene.weigh(scene.tenant(2), kHeavyWeight);
        scene.begin_sending(1);
        const Recipients equal{.first = kLate, .count = options.messages};
        const Recipients high{.first = kLate + options.messages, .count = options.high};
        out["equal"] = waits_json(scene.waits_of_late(scene.tenant(1), equal, "normal"));
        out["high"] = waits_json(scene.waits_of_late(scene.tenant(1), high, "high"));
        out["weighted"] = weigh_shares(scene, options, first);
    }
    out["thousand"] = thousand(patience, options);
    return out;
}

json::object fairness_results(const FairnessOptions& options, const json::array& runs)
{
    const double alone_ms = kMilli / static_cast<double>(options.rate);
    const double equal_ms = 2 * 2 * alone_ms * static_cast<double>(options.messages);
    const double high_ms = 5 * alone_ms * static_cast<double>(options.high);
    return {{"equal", {{"p95_ms", median_of(runs, "equal.p95_ms")}, {"at_most", equal_ms}}},
            {"weighted", {{"share_error", median_of(runs, "weighted.share_error")}, {"at_most", 0.05}}},
            {"high", {{"p95_ms", median_of(runs, "high.p95_ms")}, {"at_most", high_ms}}},
            {"thousand", {{"worst_ratio", median_of(runs, "thousand.worst_ratio")}, {"at_most", 1.2}}}};
}

} // namespace penguin::bench
