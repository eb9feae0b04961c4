// bench/plan/capacity.h
// From demand and figures to machines, addresses and network: arithmetic only. Each number says which limit made it.
//
//   rates    messages a second; attempts are messages / (1 - retry share)
//   rounding what is bought whole is rounded up
#pragma once

#include <string>
#include <vector>

#include "bench/plan/figures.h"
#include "bench/plan/providers.h"
#include "bench/plan/warmup.h"

namespace penguin::bench::plan {

inline constexpr double kLoadMost = 0.8;         // of a machine's cores or of its network: what to promise
inline constexpr double kSiteConnections = 50;   // of a node to one site (engine/delivery: LaneLimits)
inline constexpr double kSignatureOctets = 700;  // a DKIM-Signature field
inline constexpr double kDialogueOctets = 1'000; // MAIL, RCPT, replies, the headers that a node adds
inline constexpr double kTlsSetupOctets = 6'000; // a connection
inline constexpr double kPacketOverhead = 1.05;  // TCP and IP headers, acknowledgements

struct Need {
    std::string limit;   // "cpu", "network" ...
    double value = 0;    // what this limit alone asks for
    std::string because; // for people
};
// The one that asks for most; the first of equals. Not of none.
const Need& binding(const std::vector<Need>& needs);

double whole(double value); // rounded up; what lies a rounding error above a whole number is that number

struct Volume {
    double day = 0;          // messages of the busiest day
    double average_rate = 0; // a second, in the hours in which mail is sent
    double peak_rate = 0;    // a second, in the busiest hour
    double attempts = 1;     // a message
};
Volume volume_of(const Demand& demand);

struct Addresses {
    double needed = 0;
    Need limit;
    std::vector<Need> needs;
};
// Warm ones: what carries the busiest day within the caps, and the busiest hour within each provider's connections.
Addresses addresses_for(const Demand& demand, const std::vector<Share>& shares, const WarmupPlan& warmup);

struct Network {
    double octets_a_message = 0; // on the wire, with all its attempts
    double peak_mbit = 0;        // of all nodes
    double octets_a_month = 0;
};
Network network_for(const Demand& demand, const std::vector<Share>& shares);

struct Nodes {
    double needed = 0;           // with the spare ones
    double carrying = 0;         // without
    bool stores_on_node = false; // one node carries everything: Redis and PostgreSQL are on it
    double cpu_us = 0;           // a message, of what is on the nodes
    Need limit;
    std::vector<Need> needs;
};
struct Surroundings {     // what else the nodes carry
    double addresses = 0; // source addresses, of all nodes
    double store_mb = 0;  // of memory, if Redis is on the node
};
Nodes nodes_for(const Demand& demand, const Figures& figures, const std::vector<Share>& shares,
                const Surroundings& surroundings);

} // namespace penguin::bench::plan
