// bench/sink/profile_reputation.h
// The parts `reputation` and `reports` of a profile. bench/README.md lists the keys.
#pragma once

#include "bench/sink/profile_section.h"

namespace penguin::bench {

std::optional<ProviderReputation> read_reputation(ProfileSection& root);
std::optional<ProviderReports> read_reports(ProfileSection& root);

} // namespace penguin::bench
