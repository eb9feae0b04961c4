#include "engine/smtp/octets.h"

#include <cstdint>

namespace penguin::smtp {

namespace {

// One pass without branches, over so few octets that counts fit one: the compiler makes vector code of it.
void add_block(std::string_view block, Octets& out)
{
    std::uint8_t cr = 0;
    std::uint8_t nul = 0;
    std::uint8_t high = 0;
    for (const char c : block) {
        cr = static_cast<std::uint8_t>(cr + (c == '\r'));
        nul = static_cast<std::uint8_t>(nul + (c == '\0'));
        high |= static_cast<std::uint8_t>(c);
    }
    out.cr += cr;
    out.nul += nul;
    out.eight_bit = out.eight_bit || (high & 0x80) != 0;
}

} // namespace

Octets count_octets(std::string_view text)
{
    constexpr std::size_t kBlock = 128; // of a fixed length: a loop without a tail
    Octets out;
    while (text.size() >= kBlock) {
        add_block(text.substr(0, kBlock), out);
        text.remove_prefix(kBlock);
    }
    add_block(text, out);
    return out;
}

} // namespace penguin::smtp
