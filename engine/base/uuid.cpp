#include "engine/base/uuid.h"

#include <sys/random.h>

#include <cstdlib>

namespace penguin {

namespace {

int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool is_dash_place(std::size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

} // namespace

Result<Uuid> Uuid::parse(std::string_view text)
{
    const auto malformed = fail(Errc::malformed, "not a UUID of 36 characters");
    if (text.size() != 36) return malformed;
    std::array<std::uint8_t, 16> bytes{};
    std::size_t nibble = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (is_dash_place(at)) {
            if (text[at] != '-') return malformed;
            continue;
        }
        const int value = hex_value(text[at]);
        if (value < 0) return malformed;
        bytes[nibble / 2] = static_cast<std::uint8_t>(bytes[nibble / 2] << 4 | value);
        ++nibble;
    }
    return Uuid{bytes};
}

Uuid Uuid::v7(WallTime now)
{
    std::array<std::uint8_t, 16> bytes{};
    // 16 octets never block or fall short once the kernel's pool is ready (getrandom(2)); without them no id is safe.
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
    const auto ms = static_cast<std::uint64_t>(to_unix_ms(now));
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x70);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
    return Uuid{bytes};
}

std::string Uuid::text() const
{
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out(36, '-');
    std::size_t at = 0;
    for (const std::uint8_t byte : bytes_) {
        if (is_dash_place(at)) ++at;
        out[at++] = kHex[byte >> 4];
        out[at++] = kHex[byte & 0x0F];
    }
    return out;
}

} // namespace penguin
