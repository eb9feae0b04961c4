// bench/harness/redis_store.h
// The Redis of a daemon, asked by redis-cli: how much it holds; and a pool that is kept from claiming while mail is queued.
//
//   errors  BenchError: no redis-cli, no answer
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/harness/patience.h"

namespace penguin::bench {

class RedisStore {
public:
    // `folder` is for what redis-cli says.
    RedisStore(Patience& patience, std::filesystem::path socket, const std::filesystem::path& folder);

    std::uint64_t used_memory(); // octets

    // The node's name in the pool is somebody else's, whose lease lasts: so the node does not begin to claim there
    // (engine/queue/README.md, Names). To be called before the pool has a source.
    void hold(const std::string& pool, const std::string& node);
    void let_go(const std::string& pool, const std::string& node);

private:
    std::string call(std::vector<std::string> words);

    Patience& patience_;
    std::filesystem::path socket_;
    std::filesystem::path log_;
};

// "used_memory:1234" of what INFO says. Throws when it is not there.
std::uint64_t used_memory_in(std::string_view info);

} // namespace penguin::bench
