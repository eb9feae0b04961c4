#include "control/daemon/embedded_postgres.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "engine/base/log.h"

namespace penguin::control {

namespace {

using namespace std::chrono_literals;

const std::filesystem::path kVersionsDir = "/usr/lib/postgresql";
constexpr unsigned kVersionMin = 15;

unsigned version_of(std::string_view text)
{
    unsigned version = 0;
    std::from_chars(text.data(), text.data() + text.size(), version);
    return version;
}

Result<std::filesystem::path> newest_binaries()
{
    unsigned best = 0;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator{kVersionsDir, code}) {
        const unsigned version = version_of(entry.path().filename().string());
        if (version > best && std::filesystem::exists(entry.path() / "bin" / "initdb")) best = version;
    }
    if (best < kVersionMin)
        return fail(Errc::local_fault,
                    fmt::format("no PostgreSQL server of version {} or later here: install the package "
                                "postgresql, or give [database] dsn",
                                kVersionMin));
    return kVersionsDir / std::to_string(best) / "bin";
}

Result<> remove_tree(const std::filesystem::path& dir)
{
    std::error_code code;
    std::filesystem::remove_all(dir, code);
    if (code) return fail(Errc::local_fault, fmt::format("cannot remove {}: {}", dir.string(), code.message()));
    return {};
}

// The line of postmaster.pid on which the server says how far it is (pg_ctl reads the same one).
constexpr std::size_t kStatusLine = 8;

} // namespace

std::string EmbeddedPostgres::dsn(const StateDir& dir, std::string_view role)
{
    return fmt::format("host={} port=5432 dbname={} user={}", dir.run().string(), kDatabase, role);
}

Result<std::filesystem::path> EmbeddedPostgres::binaries() const
{
    const Result<std::string> made_by = read_small_file(dir_.postgres() / "PG_VERSION");
    if (!made_by) return newest_binaries();
    const unsigned version = version_of(*made_by);
    std::filesystem::path found = kVersionsDir / std::to_string(version) / "bin";
    if (std::filesystem::exists(found / "postgres")) return found;
    return fail(
        Errc::local_fault,
        fmt::format("{} was made by PostgreSQL {}, which is not installed: install postgresql-{}, or move the data "
                    "to a newer version with pg_upgrade",
                    dir_.postgres().string(), version, version));
}

awaitable<Result<>> EmbeddedPostgres::prepare()
{
    if (std::filesystem::exists(dir_.postgres() / "PG_VERSION")) {
        // Nobody runs in this directory (the supervisor looked), so the file is of a dead server. Its process id may
        // belong to another process of ours by now, and PostgreSQL would take that for a living server.
        std::error_code code;
        std::filesystem::remove(dir_.postgres() / "postmaster.pid", code);
        co_return Result<>{};
    }
    Result<> made = co_await make_cluster();
    co_return made;
}

awaitable<Result<>> EmbeddedPostgres::make_cluster()
{
    const Result<std::filesystem::path> found = binaries();
    if (!found) co_return std::unexpected{found.error()};
    const std::filesystem::path next = dir_.path() / "postgres.new";
    if (Result<> removed = remove_tree(next); !removed) co_return removed;
    log::info(name_, "initdb_begins", {{"directory", dir_.postgres().string()}, {"binaries", found->string()}});

    const ChildCommand initdb{.name = "initdb",
                              .program = *found / "initdb",
                              .arguments = {"--pgdata", next.string(), "--username", kOwner, "--encoding", "UTF8",
                                            "--locale", "C.UTF-8", "--data-checksums", "--auth", "trust",
                                            "--no-instructions"},
                              .work_dir = dir_.path(),
                              .death_signal = SIGTERM};
    Result<ChildProcess> child = ChildProcess::start(co_await asio::this_coro::executor, initdb);
    if (!child) co_return std::unexpected{child.error()};
    const auto executor = co_await asio::this_coro::executor;
    auto end = std::make_shared<std::string>();
    asio::co_spawn(executor, child->ended(),
                   [end](const std::exception_ptr& /*none*/, std::string how) { *end = std::move(how); });
    const SteadyTime until = std::chrono::steady_clock::now() + kInitdbMax;
    SteadyTime said = std::chrono::steady_clock::now();
    while (end->empty()) {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (now > until) child->signal_group(SIGKILL);
        if (waiting_ && now - said > 1s) {
            waiting_();
            said = now;
        }
        co_await sleep_for(50ms);
    }
    if (*end != "exit status 0")
        co_return fail(Errc::unavailable, fmt::format("initdb: {}: {}", *end, child->last_words()));

    if (Result<> written =
            write_small_file(next / "pg_hba.conf", "# run/ is open to our user alone: whoever gets here is us.\n"
                                                   "local all all trust\n");
        !written)
        co_return written;
    std::error_code code;
    std::filesystem::rename(next, dir_.postgres(), code);
    if (code) co_return fail(Errc::local_fault, "cannot name the new database: " + code.message());
    co_return Result<>{};
}

Result<ChildCommand> EmbeddedPostgres::command() const
{
    const Result<std::filesystem::path> found = binaries();
    if (!found) return std::unexpected{found.error()};
    ChildCommand out{.name = name_,
                     .program = *found / "postgres",
                     .arguments = {"-D", dir_.postgres().string()},
                     .work_dir = dir_.postgres(),
                     .death_signal = SIGINT}; // fast shutdown: clients are cut, everything is written
    // Options on the command line win over the files, so what our safety rests on cannot be changed there.
    for (const std::string& option :
         {std::string{"listen_addresses="}, "unix_socket_directories=" + dir_.run().string(),
          std::string{"unix_socket_permissions=0700"}, std::string{"port=5432"},
          std::string{"cluster_name=penguin-mta"}, fmt::format("shared_buffers={}kB", shared_buffers_ / 1024),
          std::string{"max_connections=60"}, std::string{"jit=off"}, std::string{"max_wal_size=512MB"},
          std::string{"wal_compression=on"}, std::string{"log_destination=stderr"},
          std::string{"logging_collector=off"}, std::string{"log_line_prefix="}, std::string{"log_checkpoints=off"},
          // Details and statements may hold addresses of people; they stay out of the log.
          std::string{"log_error_verbosity=terse"}, std::string{"log_min_error_statement=panic"},
          std::string{"log_timezone=UTC"}, std::string{"timezone=UTC"}}) {
        out.arguments.emplace_back("-c");
        out.arguments.push_back(option);
    }
    return out;
}

awaitable<bool> EmbeddedPostgres::ready(pid_t pid) const
{
    const Result<std::string> text = read_small_file(dir_.postgres() / "postmaster.pid");
    if (!text) co_return false;
    std::istringstream lines{*text};
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        if (number == 1 && line != std::to_string(pid)) co_return false;
        if (number == kStatusLine) co_return line.starts_with("ready");
    }
    co_return false;
}

std::vector<StopStep> EmbeddedPostgres::stop_steps() const
{
    return {{SIGINT, 60s}, {SIGQUIT, 10s}, {SIGKILL, 5s}}; // fast, immediate (recovers at the next start), by force
}

} // namespace penguin::control
