#include "bench/harness/redis_store.h"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "bench/harness/child.h"

namespace penguin::bench {

namespace {

using namespace std::chrono_literals;

constexpr const char* kProgram = "/usr/bin/redis-cli";
constexpr auto kHeldFor = 24h; // longer than any run

std::uint64_t octets_at(std::string_view info, std::string_view field)
{
    const std::size_t at = info.find(field);
    std::uint64_t octets = 0;
    if (at == std::string_view::npos ||
        std::from_chars(info.data() + at + field.size(), info.data() + info.size(), octets).ec != std::errc{})
        throw BenchError{"Redis does not say how much memory it uses"};
    return octets;
}

std::string names_of_nodes(const std::string& pool) { return fmt::format("pm:{{{}}}:nodes", pool); }

} // namespace

RedisStore::RedisStore(Patience& patience, std::filesystem::path socket, const std::filesystem::path& folder)
    : patience_{patience},
      socket_{std::move(socket)},
      log_{folder / "redis-cli.out"}
{
    if (!std::filesystem::exists(kProgram)) throw BenchError{"no redis-cli here: ./dev setup installs it"};
}

std::string RedisStore::call(std::vector<std::string> words)
{
    words.insert(words.begin(), {"-e", "-s", socket_.string()});
    std::filesystem::remove(log_); // else the answers stand behind each other in it
    const auto answer = output_of(patience_, kProgram, words, log_);
    if (!answer) throw BenchError{"redis-cli failed: " + words[3]};
    return *answer;
}

RedisMemory RedisStore::memory() { return memory_in(call({"INFO", "memory"})); }

void RedisStore::hold(const std::string& pool, const std::string& node)
{
    const auto until = std::chrono::system_clock::now() + kHeldFor;
    const auto heartbeat = std::chrono::duration_cast<std::chrono::milliseconds>(until.time_since_epoch()).count();
    call({"HSET", names_of_nodes(pool), node, fmt::format("{} penguin-bench 1 held", heartbeat)});
}

void RedisStore::let_go(const std::string& pool, const std::string& node)
{
    call({"HDEL", names_of_nodes(pool), node});
}

RedisMemory memory_in(std::string_view info)
{
    return {.used = octets_at(info, "used_memory:"), .dataset = octets_at(info, "used_memory_dataset:")};
}

} // namespace penguin::bench
