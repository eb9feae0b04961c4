// control/settings/snapshot_file.h
// The settings as plain rows: how they are read from PostgreSQL, kept on disk, and turned into what the engine takes.
//   errors  not_found (no file), malformed (not what we wrote), local_fault (disk)
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/settings/rules_in_force.h"
#include "dkim/key_ring.h"
#include "engine/base/result.h"
#include "engine/delivery/settings.h"

namespace penguin::control {

struct TenantRow {
    std::string id, pool;
    double weight = 1;
    bool suspended = false;
    std::string rate{queue::kUnlimited};
    std::int64_t monthly_quota = -1;
};
struct DomainRow {
    std::string tenant, name, bounce_host;
};
struct SourceRow {
    std::string id, address, ehlo_name, pool;
};
struct KeyRow {
    std::string tenant, domain, selector, algorithm;
    std::string sealed; // octets
    std::uint32_t version = 1;
};

struct CampaignRow {
    std::string tenant, id, state; // "active", "paused", "cancelled"
    std::string window;            // policy/sending_window.h; "": none
};

// A source's warm-up at a provider.
struct WarmupRow {
    std::string source, plan, start, provider, stopped; // days; stopped "": never
    unsigned hour_from = 0, hour_to = 24;
    std::size_t stage = 0;
    std::uint64_t cap = 0; // a person's; 0: the plan's
};

struct SettingsFile {
    std::uint64_t version = 0;
    std::vector<TenantRow> tenants;
    std::vector<DomainRow> domains;
    std::vector<SourceRow> sources;
    std::vector<KeyRow> keys;
    std::vector<CampaignRow> campaigns; // those that are stopped or have a window
    StoredRules rules;                  // in force
    std::vector<policy::SharedPause> pauses;
    std::vector<WarmupRow> warmups;
};

std::string to_json(const SettingsFile& file);
Result<SettingsFile> parse_settings_file(std::string_view json);

// Rows that do not parse are left out and logged; a source whose warm-up does not, with it: it would send without a bound.
delivery::Settings settings_of(const SettingsFile& file);
std::vector<dkim::SigningKey> keys_of(const SettingsFile& file);

// Writes beside it and renames, 0600, on disk before it returns.
Result<> replace_file(const std::filesystem::path& path, std::string_view text);
Result<> append_to_file(const std::filesystem::path& path, std::string_view text);
Result<std::string> read_file(const std::filesystem::path& path);

// One line of suppressions.txt. `tenant`: "" for everybody.
std::string suppression_line(std::string_view tenant, std::string_view address);
// A last line without an end was cut off by a crash and is left out; so is what does not parse.
void add_suppression_lines(std::string_view text, delivery::Suppressions& suppressions);

} // namespace penguin::control
