// Fairness over tenants lives in the script `claim`, so it is measured in a real Redis: the time that Redis itself counts for
// the script. Entries go back after each claim, so that every claim finds the same queue.
#include <charconv>
#include <map>
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "bench/harness/child.h"
#include "bench/harness/places.h"
#include "bench/micro/octets.h"
#include "bench/micro/samples.h"
#include "engine/queue/send_queue.h"

namespace penguin::bench::micro {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kClaim = 100; // entries a call, as the dispatcher claims
constexpr std::size_t kQuantum = 10;
constexpr std::size_t kEntriesLeast = 1'000;

class OwnRedis {
public:
    OwnRedis()
        : folder_{"/var/tmp"},
          server_{
              {.name = "redis-server",
               .program = "/usr/bin/redis-server",
               .arguments = {"--port", "0", "--unixsocket", socket(), "--dir", folder_.path().string(), "--appendonly",
                             "yes", "--maxmemory", "16gb", "--maxmemory-policy", "noeviction", "--save", ""},
               .log = folder_.path() / "redis.log",
               .grace = 10s}}
    {
    }
    queue::RedisUrl url() const { return queue::RedisUrl::parse("unix://" + socket()).value(); }

private:
    std::string socket() const { return (folder_.path() / "redis.sock").string(); }

    WorldFolder folder_;
    Child server_;
};

// A pool with entries of so many tenants, and a node that claims them.
class Pool {
public:
    Pool(const OwnRedis& server, std::size_t tenants)
        : redis_{io_.get_executor(), {.url = server.url(), .ca_file = {}}},
          queue_{redis_,
                 {.pool = PoolName{"tenants-" + std::to_string(tenants)},
                  .node = NodeName{"bench"},
                  .incarnation = "bench-1",
                  .lease = 24h,
                  .call_deadline = 10s}}
    {
        must(redis_.connected_within(10s));
        must(queue_.start(false));
        const std::size_t each = std::max(kQuantum, kEntriesLeast / tenants);
        for (std::size_t i = 0; i < tenants; ++i) must(queue_.enqueue(entries(each)));
    }

    // Seconds that Redis counted for one claim.
    double claim()
    {
        const std::int64_t before = script_us();
        const std::vector<queue::Claimed> claimed = must(queue_.claim({.max = kClaim, .per_tenant = kQuantum}));
        const std::int64_t after = script_us();
        if (claimed.size() != kClaim) throw BenchError{"claimed " + std::to_string(claimed.size()) + " entries"};
        std::vector<queue::Token> tokens;
        tokens.reserve(claimed.size());
        for (const queue::Claimed& one : claimed) tokens.push_back(one.token);
        must(queue_.release(tokens, std::nullopt));
        return static_cast<double>(after - before) / 1e6;
    }

private:
    static std::vector<queue::Entry> entries(std::size_t count)
    {
        queue::Entry entry = sample_entry();
        std::vector<queue::Entry> all;
        for (; entry.id.index < count; ++entry.id.index) all.push_back(entry);
        return all;
    }

    // cmdstat_evalsha:calls=12,usec=3456,...
    std::int64_t script_us()
    {
        const std::string text = must(redis_.command({"INFO", "commandstats"}, 10s)).text();
        const std::size_t line = text.find("cmdstat_evalsha:");
        const std::size_t at = line == std::string::npos ? line : text.find("usec=", line);
        std::int64_t micros = 0;
        if (at != std::string::npos) std::from_chars(text.data() + at + 5, text.data() + text.size(), micros);
        return micros;
    }

    template <class T>
    T must(awaitable<Result<T>> work)
    {
        std::optional<Result<T>> result;
        asio::co_spawn(io_, std::move(work), [&](const std::exception_ptr& thrown, Result<T> value) {
            if (!thrown) result = std::move(value);
            io_.stop();
        });
        io_.restart();
        io_.run();
        if (!result) throw BenchError{"a call to Redis threw"};
        if (!*result) throw BenchError{"Redis: " + result->error().detail};
        if constexpr (!std::is_void_v<T>) return std::move(**result);
    }

    asio::io_context io_;
    queue::RedisConnection redis_;
    queue::SendQueue queue_;
};

// Kept to the end of the program: filling a pool takes longer than measuring it.
Pool& pool_of(std::size_t tenants)
{
    static const OwnRedis server;
    static std::map<std::size_t, std::unique_ptr<Pool>> pools;
    std::unique_ptr<Pool>& pool = pools[tenants];
    if (!pool) pool = std::make_unique<Pool>(server, tenants);
    return *pool;
}

void claim(benchmark::State& state)
{
    try {
        Pool& pool = pool_of(static_cast<std::size_t>(state.range(0)));
        for (auto step : state) state.SetIterationTime(pool.claim());
    } catch (const std::exception& error) {
        state.SkipWithError(error.what());
    }
}

BENCHMARK(claim)->Name("fair_queue/claim_100_of_tenants")->UseManualTime()->Arg(1)->Arg(100)->Arg(10'000);

} // namespace

} // namespace penguin::bench::micro
