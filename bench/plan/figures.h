// bench/plan/figures.h
// What a message costs, as measured: the planner's constants. Defaults, or what drain, submit and micro wrote with --json.
//
//   origin  of each figure: "default" or the name that the file was given
//   errors  malformed (no JSON), missing, bad_value: detail names file and field
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bench/plan/demand.h"

namespace penguin::bench::plan {

struct Cost { // microseconds of CPU a message
    double daemon = 0;
    double redis = 0;
    double postgres = 0;
    double dns = 0;
    double sum() const { return daemon + redis + postgres + dns; }
};

struct Figures {
    // From claim to the event in the ledger, with signatures `sending_dkim`, at `size` octets.
    Cost sending{.daemon = 36, .redis = 14.4, .postgres = 6.5, .dns = 0};
    Dkim sending_dkim = Dkim::none;
    // From the request to the entry in Redis.
    Cost accepting{.daemon = 3, .redis = 0, .postgres = 1.5, .dns = 0};
    double size = 10'240;
    double us_a_kib = 2.0; // daemon, for each KiB over or under `size`
    double rsa2048_us = 290;
    double ed25519_us = 53;
    std::optional<double> accepted_a_core; // recipients a second and core: submit's
    double daemon_mb = 256;                // of memory, at most
    double redis_octets_queued = 400;      // a message waiting
    double redis_octets_tenant = 300;      // a tenant with mail waiting
    double event_disk = 429;               // octets of the ledger's table and its indexes, an event
    double event_wal = 541;
    double recipient_disk = 20; // of a batch's row, a recipient
    double recipient_wal = 27;
    double content_stored = 0.64;           // octets written for each octet of a new content
    double pool_messages_a_second = 65'000; // that one Redis core, so one pool, carries

    std::map<std::string, std::string> origin; // figure -> file; not there: default

    double signing_us(Dkim dkim) const;
    double unsigned_us() const { return sending.daemon - signing_us(sending_dkim); } // of the daemon, at `size`
};

// Overlays what the file knows, in any order of the files. `name` is for messages and for the origin.
Result<Figures> with_file(Figures figures, std::string_view json, const std::string& name);
// Whether they fit together, once all files are read.
Result<> check(const Figures& figures);

} // namespace penguin::bench::plan
