#include "bench/plan/providers.h"

#include <array>

#include <fmt/format.h>

namespace penguin::bench::plan {

namespace {

constexpr std::string_view kOther = "other";
constexpr std::string_view kKumo = "KumoMTA's published shaping";

constexpr std::array kRules{
    ProviderRule{"google", 5, 50, true, kKumo},
    ProviderRule{"outlook", 5, 50, true, kKumo},
    ProviderRule{"m365", 5, 50, false, kKumo},
    ProviderRule{"yahoo", 10, 20, true, "KumoMTA's published shaping; connections: our default"},
    ProviderRule{"apple", 10, 5, true, kKumo},
    ProviderRule{"comcast", 25, 1'000, true, "the provider's postmaster page"},
    ProviderRule{"gmx", 4, 20, true, "KumoMTA's community"},
    ProviderRule{"orange", 2, 100, true, "Momentum's shipped rules"},
    ProviderRule{"mimecast", 10, 100, false, "the provider's pages"},
    ProviderRule{"barracuda", 10, 15, false, "KumoMTA's community"},
    ProviderRule{kOther, 10, 100, false, "our default for a lane"},
};

} // namespace

std::span<const ProviderRule> provider_rules() { return kRules; }

Result<ProviderRule> provider_named(std::string_view name)
{
    std::string names;
    for (const ProviderRule& rule : kRules) {
        if (rule.name == name) return rule;
        names += (names.empty() ? "" : ", ") + std::string{rule.name};
    }
    return fail(Errc::bad_value, fmt::format("--share: '{}' is none of {}", name, names));
}

double attempts_a_second_on_one_connection(const ProviderRule& rule)
{
    return 1 / (kSecondsAMessage + kSecondsASetup / rule.connection_messages);
}

double attempts_a_second_from_one_source(const ProviderRule& rule)
{
    return rule.connections * attempts_a_second_on_one_connection(rule);
}

// KumoMTA's load generator, with aol counted as yahoo and hotmail as outlook.
std::vector<Share> default_shares()
{
    return {{"google", 0.674}, {"outlook", 0.100}, {"yahoo", 0.074}, {"apple", 0.012}};
}

Result<std::vector<Share>> shares_of(const Demand& demand)
{
    constexpr double kRounding = 1e-9;
    std::vector<Share> shares;
    double rest = 1;
    for (const Share& share : demand.shares.empty() ? default_shares() : demand.shares) {
        if (const auto rule = provider_named(share.provider); !rule) return std::unexpected{rule.error()};
        rest -= share.part;
        if (share.part > 0) shares.push_back(share);
    }
    if (rest < kRounding) return shares;
    for (Share& share : shares)
        if (share.provider == kOther) {
            share.part += rest;
            return shares;
        }
    shares.push_back({std::string{kOther}, rest});
    return shares;
}

} // namespace penguin::bench::plan
