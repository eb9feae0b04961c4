// engine/queue/script_caller.h
// Calls the Lua scripts of one pool by their SHA-1. A Redis that does not know them (restarted, SCRIPT FLUSH) gets them again
// and the call is repeated: it answers NOSCRIPT before it runs anything, so that repeats nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/asio.h"
#include "engine/queue/redis_connection.h"
#include "engine/queue/scripts.h"

namespace penguin::queue {

class ScriptCaller {
public:
    ScriptCaller(RedisConnection& redis, std::string key_prefix, Duration deadline)
        : redis_{redis},
          prefix_{std::move(key_prefix)},
          deadline_{deadline}
    {
    }

    // "pm:{default}:"
    const std::string& prefix() const { return prefix_; }
    std::string key(std::string_view name) const { return prefix_ + std::string{name}; }

    awaitable<Result<>> load_all();
    // `arguments` without the prefix, which each script gets first. Errors: those of RedisConnection and `checked`.
    awaitable<Result<RedisReply>> run(const Script& script, std::vector<std::string> arguments);
    awaitable<Result<RedisReply>> command(std::vector<std::string> arguments);

private:
    awaitable<Result<>> load(const Script& script);
    RedisConnection& redis_;
    std::string prefix_;
    Duration deadline_;
};

} // namespace penguin::queue
