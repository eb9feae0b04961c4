// bench/sink/lot.h
// Chance that comes out the same each time: by a seed and what it is about.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace penguin::bench {

// The parts are told apart; the case of ASCII letters is not.
std::uint64_t hash_of(std::uint64_t seed, std::initializer_list<std::string_view> parts);

// 0 up to 1, without 1: what a share is compared with.
double lot_of(std::uint64_t seed, std::initializer_list<std::string_view> parts);

} // namespace penguin::bench
