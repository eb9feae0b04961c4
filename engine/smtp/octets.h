// engine/smtp/octets.h
// Counts the octets that RFC 5321 2.3.8 has rules for.
#pragma once

#include <cstddef>
#include <string_view>

namespace penguin::smtp {

struct Octets {
    std::size_t cr = 0;
    std::size_t nul = 0;
    bool eight_bit = false; // one at least is over 127
};

Octets count_octets(std::string_view text);

} // namespace penguin::smtp
