#include "engine/base/utf8.h"

#include <cstdint>

namespace penguin {

namespace {

struct Lead {
    std::size_t more;       // octets that follow
    std::uint32_t smallest; // code point that needs this length
    std::uint32_t bits;
};

Lead lead_of(std::uint8_t octet)
{
    if (octet < 0x80) return {0, 0, octet};
    if ((octet & 0xE0) == 0xC0) return {1, 0x80, octet & 0x1FU};
    if ((octet & 0xF0) == 0xE0) return {2, 0x800, octet & 0x0FU};
    if ((octet & 0xF8) == 0xF0) return {3, 0x10000, octet & 0x07U};
    return {0, 1, 0}; // never as small as `smallest`: refused
}

} // namespace

bool is_utf8(std::string_view text)
{
    for (std::size_t i = 0; i < text.size();) {
        const Lead lead = lead_of(static_cast<std::uint8_t>(text[i]));
        std::uint32_t point = lead.bits;
        if (i + lead.more >= text.size()) return false;
        for (std::size_t k = 1; k <= lead.more; ++k) {
            const auto octet = static_cast<std::uint8_t>(text[i + k]);
            if ((octet & 0xC0) != 0x80) return false;
            point = point << 6 | (octet & 0x3FU);
        }
        if (point < lead.smallest || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
        i += lead.more + 1;
    }
    return true;
}

bool is_clean_text(std::string_view text) { return !text.contains('\0') && is_utf8(text); }

} // namespace penguin
