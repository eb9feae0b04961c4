// control/settings/snapshot.h
// Makes the engine's settings of what PostgreSQL holds, and keeps the last ones on disk, so that a node can start and go
// on while PostgreSQL is away.
//
//   in       tenants, verified domains, this node's sources with their warm-up, active DKIM keys (sealed), stopped campaigns,
//            suppressions, the newest version of the reply rules, what rules have paused
//   out      Snapshot, whole, by the publish callback, each time settings_version has moved
//   poll     one row every kSettingsPoll, so that a change is in force everywhere within a second. Suppressions that were added
//            are read alone; a removal has the list read again.
//   disk     settings.json and suppressions.txt (one "<tenant or *> <address>" a line) in the state folder, 0600, replaced by
//            rename. Nothing in them opens without the master key.
//   faults   PostgreSQL away: the last snapshot holds. A row that does not parse is left out and logged. Rules that cannot be used
//            here leave those in force that were (rules_in_force.h), also over a restart: these are the ones on disk
//   threads  belongs to the control executor; publish is called there
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "control/db/database.h"
#include "control/settings/snapshot_file.h"
#include "dkim/key_ring.h"
#include "engine/base/metrics.h"
#include "engine/delivery/settings.h"

namespace penguin::control {

inline constexpr std::chrono::milliseconds kSettingsPoll{500};
inline constexpr std::chrono::milliseconds kSettingsGap{50}; // between two looks, however often it is woken
inline constexpr std::size_t kSuppressionsAPage = 10'000;    // rows read at a time

struct Snapshot {
    std::shared_ptr<const delivery::Settings> settings;
    std::vector<dkim::SigningKey> keys;
};

class SnapshotKeeper {
public:
    struct Options {
        NodeName node;
        std::filesystem::path folder; // state directory
        delivery::LaneLimits limits;
    };
    // `control` as pm_worker.
    SnapshotKeeper(db::PgPool& control, Options options, RulesInForce& rules, std::function<void(Snapshot)> publish,
                   Registry& metrics);

    // Publishes the first snapshot: PostgreSQL's, or the disk's while that is away. Errors: unavailable (neither).
    awaitable<Result<>> start();
    // Polls every kSettingsPoll, and soon after wake(), until stop() or the coroutine is cancelled.
    awaitable<void> run();
    // Looks once; true: something had moved and was published.
    awaitable<Result<bool>> refresh();
    // Something may have changed here: look within kSettingsGap. The other nodes see it at their next poll.
    void wake();
    void stop();

private:
    struct Versions {
        std::int64_t settings = 0, pauses = 0, suppressions = 0, removed = 0;
        friend bool operator==(const Versions&, const Versions&) = default;
    };
    awaitable<void> until_next_look();
    awaitable<Result<Versions>> versions();
    Result<SettingsFile> read_disk();
    awaitable<Result<>> read_settings();
    awaitable<Result<>> read_pauses();
    void take_pauses(std::vector<policy::SharedPause> pauses);
    awaitable<Result<>> read_all_suppressions();
    awaitable<Result<>> read_new_suppressions(std::int64_t since);
    void note_kept(const Result<>& kept);
    void publish(std::uint64_t version, bool from_disk);

    db::PgPool& control_;
    Options options_;
    RulesInForce& rules_;
    std::function<void(Snapshot)> publish_;
    SettingsFile file_; // what was read last
    std::shared_ptr<const delivery::Suppressions> suppressions_ = std::make_shared<const delivery::Suppressions>();
    std::shared_ptr<const std::vector<policy::SharedPause>> pauses_ =
        std::make_shared<const std::vector<policy::SharedPause>>();
    Versions seen_;                 // zeros: nothing of PostgreSQL yet
    bool suppressions_kept_ = true; // the file has all that suppressions_ has
    bool woken_ = false;
    bool stopped_ = false;
    asio::steady_timer* sleeping_ = nullptr; // run()'s, while it waits
    Gauge& version_;
    Gauge& suppressed_;
    Counter& failures_;
};

} // namespace penguin::control
