// control/daemon/embedded_postgres.h
// Our own PostgreSQL: a unix socket in run/, no TCP, data checksums, made by initdb at the first start.
//
//   users     whoever can enter run/ (0700: our user alone) may connect as any role: `trust`
//   first     initdb works in postgres.new, which becomes postgres once it is whole: a crash inside leaves nothing half
//   version   a data directory needs its own major version; a new one takes the newest that is installed
//   errors    local_fault (no server of that version: names the Debian package), unavailable (initdb failed)
#pragma once

#include <cstdint>
#include <functional>

#include "control/daemon/embedded_store.h"
#include "control/daemon/state_dir.h"

namespace penguin::control {

class EmbeddedPostgres : public EmbeddedStore {
public:
    static constexpr const char* kOwner = "penguin_owner"; // bootstrap role, owns the schema
    static constexpr const char* kDatabase = "postgres";
    static constexpr std::chrono::minutes kInitdbMax{10};

    // `waiting` is called about once a second while initdb runs.
    EmbeddedPostgres(StateDir dir, std::uint64_t shared_buffers, std::function<void()> waiting)
        : dir_{std::move(dir)},
          shared_buffers_{shared_buffers},
          waiting_{std::move(waiting)}
    {
    }

    const std::string& name() const override { return name_; }
    std::filesystem::path directory() const override { return dir_.postgres(); }
    awaitable<Result<>> prepare() override;
    Result<ChildCommand> command() const override;
    awaitable<bool> ready(pid_t pid) const override;
    std::vector<StopStep> stop_steps() const override;

    // For libpq: as `role`, through the socket.
    static std::string dsn(const StateDir& dir, std::string_view role);

private:
    Result<std::filesystem::path> binaries() const;
    awaitable<Result<>> make_cluster();

    std::string name_ = "postgres";
    StateDir dir_;
    std::uint64_t shared_buffers_;
    std::function<void()> waiting_;
};

} // namespace penguin::control
