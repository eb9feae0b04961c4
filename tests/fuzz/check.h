// tests/fuzz/check.h
// What a fuzz target demands: the place where it does not hold is said, then the process ends, and libFuzzer keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace penguin::fuzz {

inline void check(bool holds, std::source_location where = std::source_location::current())
{
    if (holds) return;
    std::fprintf(stderr, "%s:%u: does not hold\n", where.file_name(), where.line());
    std::abort();
}

} // namespace penguin::fuzz
