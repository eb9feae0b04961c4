#include "bench/soak/soak.h"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "bench/drain/acceptance.h"
#include "bench/harness/letters.h"
#include "bench/harness/proc.h"
#include "bench/harness/report.h"
#include "bench/soak/churn.h"
#include "bench/soak/verdict.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kSubmitters = 16;
constexpr std::size_t kCampaignSubmissions = 200;
constexpr auto kSampleEach = 5s;
constexpr auto kIdleBefore = 10s;     // until Redis has forgotten the warm-up
constexpr auto kDrainedWithin = 180s; // put-off campaigns included
constexpr double kMega = 1e6;
constexpr double kMinute = 60;

class Soak {
public:
    Soak(Patience& patience, const SoakOptions& options)
        : patience_{patience},
          options_{options},
          world_{patience, options.mail.world},
          submissions_{
              std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(options.rate) * options.minutes *
                                                                kMinute / static_cast<double>(options.batch)))}
    {
    }

    json::object run();

private:
    std::size_t messages() const { return submissions_ * options_.batch; }
    double since_start() const { return std::chrono::duration<double>(steady_clock::now() - start_).count(); }
    void warm_up();
    awaitable<void> submitter(std::size_t number);
    awaitable<void> sampler();
    SoakSample sample();
    double dataset_when_drained(double before);

    Patience& patience_;
    const SoakOptions& options_;
    World world_;
    std::size_t submissions_;
    std::size_t next_ = 0;    // submission
    std::size_t working_ = 0; // submitters
    bool running_ = true;     // any of them
    double late_s_ = 0;       // how far behind its time a submission was sent, at most
    steady_clock::time_point start_;
    std::vector<SoakSample> samples_;
};

// One message to each recipient domain.
void Soak::warm_up()
{
    DrainOptions first = options_.mail;
    first.messages = options_.mail.world.domains;
    submit_all(patience_, world_, first, in_turns(world_.tenants(), first));
    world_.release();
    world_.wait_for_arrivals(first.messages);
    patience_.nap(kIdleBefore);
}

awaitable<void> Soak::submitter(std::size_t number)
{
    const DrainOptions& mail = options_.mail;
    const BenchTenant& tenant = world_.tenants()[number % world_.tenants().size()];
    HttpClient api = world_.client_of(tenant);
    asio::steady_timer timer{world_.io()};
    while (next_ < submissions_) {
        const std::size_t mine = next_++;
        const double due = static_cast<double>(mine * options_.batch) / static_cast<double>(options_.rate);
        timer.expires_at(start_ +
                         std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(due)));
        co_await timer.async_wait(use_result);
        late_s_ = std::max(late_s_, since_start() - due);
        const std::string text =
            letter(tenant.domain, {.size = mail.size,
                                   .signed_before = mail.dkim == "none",
                                   .distinct = mail.distinct,
                                   .mark = fmt::format("campaign {}", mine / kCampaignSubmissions)});
        const std::size_t first = mail.world.domains + mine * options_.batch;
        co_await api.json("POST", "/v1/batches",
                          batch_body(text, mail.distinct, first, options_.batch, mail.world.domains));
    }
    if (--working_ == 0) running_ = false;
}

SoakSample Soak::sample()
{
    const RedisMemory redis = world_.redis_memory();
    const auto memory = memory_of(world_.daemon_pid());
    return SoakSample{.seconds = since_start(),
                      .delivered = static_cast<double>(world_.receivers().messages(patience_)),
                      .daemon_mb = memory ? static_cast<double>(memory->resident_kb) * 1'024 / kMega : 0,
                      .descriptors = static_cast<double>(descriptors_of(world_.daemon_pid())),
                      .redis_mb = static_cast<double>(redis.used) / kMega,
                      .dataset_mb = static_cast<double>(redis.dataset) / kMega,
                      .postgres_mb = static_cast<double>(octets_below(world_.database_files())) / kMega};
}

awaitable<void> Soak::sampler()
{
    asio::steady_timer timer{world_.io()};
    while (running_) {
        samples_.push_back(sample());
        timer.expires_after(kSampleEach);
        co_await timer.async_wait(use_result);
    }
}

// What Redis holds as soon as it is back where it was, or in the end.
double Soak::dataset_when_drained(double before)
{
    const auto end = steady_clock::now() + kDrainedWithin;
    double after = sample().dataset_mb;
    while (after > before + kDatasetMost && steady_clock::now() < end) {
        patience_.nap(1s);
        after = sample().dataset_mb;
    }
    return after;
}

json::object Soak::run()
{
    warm_up();
    start_ = steady_clock::now();
    SoakEnd end{.dataset_before_mb = sample().dataset_mb, .dataset_after_mb = 0};
    const Snapshot before = world_.look();
    working_ = kSubmitters;
    Churn churn{.world = world_, .domains = options_.mail.world.domains, .running = running_, .steps = {}};
    std::vector<awaitable<void>> work = churners(churn);
    for (std::size_t i = 0; i < kSubmitters; ++i) work.push_back(submitter(i));
    work.push_back(sampler());
    run_all(world_.io(), patience_, std::move(work));
    const std::size_t all = options_.mail.world.domains + messages();
    world_.wait_for_arrivals(all);
    const Usage usage = between(before, world_.look());
    end.dataset_after_mb = dataset_when_drained(end.dataset_before_mb);
    const std::uint64_t arrived = world_.receivers().messages(patience_);
    if (arrived != all) throw BenchError{fmt::format("{} messages arrived of {}", arrived, all)};

    const SoakVerdict verdict = judge(samples_, end);
    json::array samples;
    for (const SoakSample& one : samples_) samples.emplace_back(to_json(one));
    json::object steps;
    for (const auto& [kind, count] : churn.steps) steps[kind] = count;
    return {{"rate", options_.rate},
            {"messages", messages()},
            {"messages_per_second", rounded(static_cast<double>(messages()) / usage.seconds)},
            {"submitted_late_s", rounded(late_s_)},
            {"churn", std::move(steps)},
            {"slopes", verdict.slopes},
            {"dataset_before_mb", rounded(end.dataset_before_mb)},
            {"dataset_after_mb", rounded(end.dataset_after_mb)},
            {"postgres_octets_per_message", rounded(verdict.postgres_octets_per_message)},
            {"alarms", json::array(verdict.alarms.begin(), verdict.alarms.end())},
            {"samples", std::move(samples)},
            {"usage", to_json(usage)}};
}

} // namespace

json::object to_json(const SoakOptions& options)
{
    json::object object = to_json(options.mail);
    object.erase("messages");
    object["rate"] = options.rate;
    object["minutes"] = options.minutes;
    object["batch"] = options.batch;
    return object;
}

json::object soak_once(Patience& patience, const SoakOptions& options) { return Soak{patience, options}.run(); }

json::object soak_results(const json::array& runs) { return runs.back().as_object(); }

} // namespace penguin::bench
