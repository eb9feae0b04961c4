#include "bench/sink/lot.h"

namespace penguin::bench {

// FNV-1a over the parts with a mark between them, then mixed, so that close names fall into shares evenly.
std::uint64_t hash_of(std::uint64_t seed, std::initializer_list<std::string_view> parts)
{
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    const auto add = [&hash](std::uint64_t octet) { hash = (hash ^ octet) * 0x100000001B3ULL; };
    for (int i = 0; i < 64; i += 8) add((seed >> i) & 0xFFU);
    for (const std::string_view part : parts) {
        for (const char c : part) add(static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
        add(0x100);
    }
    hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDULL;
    hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53ULL;
    return hash ^ (hash >> 33);
}

double lot_of(std::uint64_t seed, std::initializer_list<std::string_view> parts)
{
    return static_cast<double>(hash_of(seed, parts) >> 11) * 0x1.0p-53;
}

} // namespace penguin::bench
