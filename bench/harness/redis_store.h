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

struct RedisMemory { // octets
    std::uint64_t used = 0;
    std::uint64_t dataset = 0; // used without what Redis needs for itself and its clients
    friend bool operator==(const RedisMemory&, const RedisMemory&) = default;
};

class RedisStore {
public:
    // `folder` is for what redis-cli says.
    RedisStore(Patience& patience, std::filesystem::path socket, const std::filesystem::path& folder);

    RedisMemory memory();

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

// What INFO says. Throws when it is not there.
RedisMemory memory_in(std::string_view info);

} // namespace penguin::bench
