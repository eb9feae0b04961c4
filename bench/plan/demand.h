// bench/plan/demand.h
// What is asked of the capacity planner: how much mail of what kind to whom, and on which machines.
//
//   errors  check: bad_value; detail names the option and the rule
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace penguin::bench::plan {

enum class Dkim : std::uint8_t { none, rsa2048, ed25519, both };
std::string_view name_of(Dkim dkim);
Result<Dkim> parse_dkim(std::string_view text);

struct Share { // of the mail that goes to a provider
    std::string provider;
    double part = 0; // 0 to 1
};

struct Machine {
    std::string name = "medium";
    unsigned cores = 4;
    double memory_gb = 8;
    double network_mbit = 1'000;
    unsigned addresses_max = 64; // source addresses that one such machine gets
    double speed = 1;            // of a core, beside the core that the figures were measured on
};
Result<Machine> machine_named(std::string_view name);

struct Demand {
    double messages_a_month = 0;
    double days_a_month = 30;   // on which mail is sent
    double hours_a_day = 24;    // in which it is sent
    double peak_factor = 2;     // busiest hour / average hour
    double peak_day_factor = 1; // busiest day / average day
    double retry_share = 0.05;  // attempts that are put off by the receiver
    double size = 10'240;       // octets of a message
    double batch = 1'000;       // recipients of a submission
    double tenants = 1;
    double mailboxes = 0;                  // 0: as many as it takes
    std::optional<double> mailbox_day_max; // messages; 0: no limit; nothing: what the warm-up plan says
    double backlog_hours = 4;
    double warm_addresses = 0; // there already, at their full rate
    double cold_addresses = 0; // 0: as many as it takes
    double spare_nodes = 1;
    Dkim dkim = Dkim::rsa2048;
    std::string warmup = "cold";
    std::vector<Share> shares; // empty: the default mix; what is missing to 1 goes to "other"
    Machine machine;
};

Result<> check(const Demand& demand);

} // namespace penguin::bench::plan
