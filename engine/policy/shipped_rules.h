// engine/policy/shipped_rules.h
// The files of rules/ and warmup/plans.toml, put into the program when it is built (embed_rules.cmake).
#pragma once

#include <span>
#include <string_view>

namespace penguin::policy {

struct ShippedRules {
    std::string_view name; // "gmail.toml"
    std::string_view text;
};
extern const std::span<const ShippedRules> kShippedRules;
extern const std::string_view kShippedDigest; // of all their texts: 12 hexadecimal digits
extern const ShippedRules kShippedWarmupPlans;

} // namespace penguin::policy
