// bench/plan/providers.h
// What the planner takes to be a mailbox provider's limits for one source address. Data, with its origin.
//
//   rate    a connection carries connection_messages, each kSecondsAMessage, after kSecondsASetup
//   errors  provider_named: bad_value; shares_of: bad_value, naming the provider
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/plan/demand.h"

namespace penguin::bench::plan {

// Assumed, as nobody publishes them: a round trip with the provider's own work on a message, and connect + TLS + EHLO.
inline constexpr double kSecondsAMessage = 0.5;
inline constexpr double kSecondsASetup = 1.5;

struct ProviderRule {
    std::string_view name;
    double connections = 10;          // at a time, from one source
    double connection_messages = 100; // then a new connection
    bool one_site = false;            // all its domains share one set of MX hosts: the site limit of a node bites
    std::string_view origin;
};

std::span<const ProviderRule> provider_rules();
Result<ProviderRule> provider_named(std::string_view name);

// Attempts a second that one source may make there, all connections in use.
double attempts_a_second_from_one_source(const ProviderRule& rule);
double attempts_a_second_on_one_connection(const ProviderRule& rule);

// Where no shares are given: a published mix of consumer mail.
std::vector<Share> default_shares();
// Complete: adds up to 1, the rest with "other"; none is 0.
Result<std::vector<Share>> shares_of(const Demand& demand);

} // namespace penguin::bench::plan
