// control/daemon/state_dir.h
// The directory that belongs to one daemon: what lies where, and the lock that keeps a second daemon out.
//
//   lock      flock(2) on <dir>/lock. The kernel drops it when its process dies, however it dies: so whoever gets it
//   knows
//             that the last holder is dead.
//   last run  <dir>/last-run names the node of the last start, and whether it gave that name up when it stopped. A node
//             that did not has crashed, here: its lease in the queue need not be waited out.
//   errors    refused (another daemon runs here; detail names its process), local_fault (cannot be made or written)
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::control {

class StateDir {
public:
    explicit StateDir(std::filesystem::path path) : path_{std::move(path)} {}

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path run() const { return path_ / "run"; } // sockets, 0700
    std::filesystem::path redis() const { return path_ / "redis"; }
    std::filesystem::path redis_socket() const { return run() / "redis.sock"; }
    std::filesystem::path postgres() const { return path_ / "postgres"; }
    std::filesystem::path postgres_socket() const { return run() / ".s.PGSQL.5432"; }
    std::filesystem::path admin_key() const { return path_ / "admin-key"; }
    std::filesystem::path master_key() const { return path_ / "master.key"; }
    std::filesystem::path last_run() const { return path_ / "last-run"; }
    std::filesystem::path identity() const { return path_ / "identity"; }
    std::filesystem::path journal() const { return path_ / "journal"; } // a folder a pool
    std::filesystem::path lock() const { return path_ / "lock"; }

    // Makes the directory and run/ when they are not there, for our user alone.
    Result<> create() const;

private:
    std::filesystem::path path_;
};

class StateLock {
public:
    static Result<StateLock> take(const StateDir& dir);
    StateLock(StateLock&& other) noexcept : file_{std::exchange(other.file_, -1)} {}
    StateLock& operator=(StateLock&& other) noexcept
    {
        std::swap(file_, other.file_);
        return *this;
    }
    ~StateLock();

private:
    explicit StateLock(int file) : file_{file} {}
    int file_;
};

// Whether the last run here was by this node and did not end by `write_stopped`. Call with the lock held.
bool crashed_before(const StateDir& dir, std::string_view node);
Result<> write_running(const StateDir& dir, std::string_view node);
Result<> write_stopped(const StateDir& dir, std::string_view node);

// What names this directory for its whole life: made at the first call. Locks in Redis that outlive a process are taken up
// again under it, since the directory's own lock proves that their last holder is dead.
Result<std::string> state_identity(const StateDir& dir);

// Replaces `file` whole: a crash leaves the old one or the new one.
Result<> write_small_file(const std::filesystem::path& file, std::string_view text, unsigned mode = 0600);
// Errors: not_found, local_fault, too_long (over `max` octets).
Result<std::string> read_small_file(const std::filesystem::path& file, std::size_t max = 64 * 1024);

} // namespace penguin::control
