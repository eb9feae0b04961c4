// control/daemon/embedded_redis.h
// Our own Redis: a unix socket in run/, no port, append-only file flushed each second, never evicts.
//   errors  local_fault (no redis-server: names the Debian package; the configuration cannot be written)
#pragma once

#include <cstdint>

#include "control/daemon/embedded_store.h"
#include "control/daemon/state_dir.h"

namespace penguin::control {

class EmbeddedRedis : public EmbeddedStore {
public:
    EmbeddedRedis(StateDir dir, std::uint64_t maxmemory) : dir_{std::move(dir)}, maxmemory_{maxmemory} {}

    const std::string& name() const override { return name_; }
    std::filesystem::path directory() const override { return dir_.redis(); }
    awaitable<Result<>> prepare() override;
    Result<ChildCommand> command() const override;
    awaitable<bool> ready(pid_t pid) const override;
    std::vector<StopStep> stop_steps() const override;

    // The whole redis.conf.
    static std::string configuration(const StateDir& dir, std::uint64_t maxmemory);

private:
    std::string name_ = "redis";
    StateDir dir_;
    std::uint64_t maxmemory_;
};

} // namespace penguin::control
