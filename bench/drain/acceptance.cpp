#include "bench/drain/acceptance.h"

#include <algorithm>

#include "bench/harness/letters.h"
#include "bench/harness/report.h"

namespace penguin::bench {

namespace {

constexpr std::size_t kSubmitters = 4;
constexpr double kMicro = 1e6;

struct Work {
    World& world;
    const DrainOptions& options;
    const std::vector<Submission>& all;
    std::size_t next = 0;
    std::uint64_t accepted = 0;
};

awaitable<void> submit_some(Work& work)
{
    const DrainOptions& options = work.options;
    while (work.next < work.all.size()) {
        const Submission& mine = work.all[work.next++];
        const std::string text = letter(mine.tenant->domain, {.size = options.size,
                                                              .signed_before = options.dkim == "none",
                                                              .distinct = options.distinct,
                                                              .mark = mine.mark});
        HttpClient api = work.world.client_of(*mine.tenant);
        const json::value answer = co_await api.json(
            "POST", "/v1/batches",
            batch_body(text, options.distinct, mine.first, mine.count, options.world.domains, mine.mailbox));
        work.accepted += answer.as_object().at("accepted").to_number<std::uint64_t>();
    }
}

} // namespace

std::vector<Submission> in_turns(std::span<const BenchTenant> tenants, const DrainOptions& options, std::size_t first)
{
    std::vector<Submission> all;
    for (std::size_t done = 0; done < options.messages; done += options.batch)
        all.push_back({.tenant = &tenants[all.size() % tenants.size()],
                       .first = first + done,
                       .count = std::min(options.batch, options.messages - done),
                       .mailbox = {},
                       .mark = {}});
    return all;
}

void submit_all(Patience& patience, World& world, const DrainOptions& options, const std::vector<Submission>& all)
{
    Work work{.world = world, .options = options, .all = all};
    std::vector<awaitable<void>> side_by_side;
    for (std::size_t i = 0; i < std::min(kSubmitters, all.size()); ++i) side_by_side.push_back(submit_some(work));
    run_all(world.io(), patience, std::move(side_by_side));
    std::uint64_t wanted = 0;
    for (const Submission& one : all) wanted += one.count;
    if (work.accepted != wanted)
        throw BenchError{"accepted were " + std::to_string(work.accepted) + " of " + std::to_string(wanted)};
}

json::object cost_of(const Usage& usage, std::size_t messages)
{
    std::map<std::string, double> micros;
    for (const auto& [component, seconds] : usage.cpu_seconds)
        micros[component] = seconds * kMicro / static_cast<double>(messages);
    return rounded(micros);
}

} // namespace penguin::bench
