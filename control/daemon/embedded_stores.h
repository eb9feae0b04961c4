// control/daemon/embedded_stores.h
// The daemon's private Redis and PostgreSQL, for an installation that names no others. Both are children of the main
// thread and belong to its loop.
//
//   out     unix sockets in <state_dir>/run alone; both durable; ready when `start` comes back
//   errors  of StoreSupervisor::start; after an error `stop` still has to be called
#pragma once

#include <memory>
#include <vector>

#include "control/daemon/state_dir.h"
#include "control/daemon/store_supervisor.h"

namespace penguin::control {

class EmbeddedStores {
public:
    struct Options {
        StateDir dir{""};
        bool redis = true;
        bool postgres = true;
        std::uint64_t redis_maxmemory = 512ULL << 20;         // octets
        std::uint64_t postgres_shared_buffers = 128ULL << 20; // octets
        std::function<void()> waiting;                        // about once a second while a start takes long
    };
    EmbeddedStores(const asio::any_io_executor& executor, const Options& options, Registry& metrics);

    awaitable<Result<>> start();
    awaitable<void> stop(); // after everybody who uses them has finished
    bool ready() const;     // main thread
    // Null when that store is not ours.
    const StoreSupervisor* redis() const { return redis_.get(); }
    const StoreSupervisor* postgres() const { return postgres_.get(); }

private:
    std::unique_ptr<StoreSupervisor> redis_;
    std::unique_ptr<StoreSupervisor> postgres_;
};

} // namespace penguin::control
