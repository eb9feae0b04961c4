// How patterns of rules are read: the same where they are checked and where they are matched. Inside of engine/policy.
#pragma once

#include <cstdint>

#include <re2/re2.h>

namespace penguin::policy {

inline constexpr std::int64_t kPatternMemory = 1 << 20; // octets of one compiled pattern

// Latin-1: a reply may be any octets. Case does not count, although replies come in lower case.
inline re2::RE2::Options re2_options(std::int64_t memory = kPatternMemory)
{
    re2::RE2::Options options{re2::RE2::Latin1};
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    options.set_max_mem(memory);
    return options;
}

} // namespace penguin::policy
