#include "engine/mail/base64.h"

#include <array>

namespace penguin {

namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> kValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNoDigit);
    for (std::size_t i = 0; i < kDigits.size(); ++i)
        values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
    return values;
}();

std::uint32_t octet(std::string_view bytes, std::size_t at)
{
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

} // namespace

std::string to_base64(std::string_view bytes)
{
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group = octet(bytes, i) << 16 | octet(bytes, i + 1) << 8 | octet(bytes, i + 2);
        const std::size_t left = bytes.size() - i;
        out += kDigits[group >> 18];
        out += kDigits[group >> 12 & 63];
        out += left > 1 ? kDigits[group >> 6 & 63] : '=';
        out += left > 2 ? kDigits[group & 63] : '=';
    }
    return out;
}

Result<std::string> from_base64(std::string_view text, WhiteSpace white_space)
{
    std::string out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    std::size_t digits = 0;
    std::size_t padding = 0;
    for (const char c : text) {
        if (white_space == WhiteSpace::skipped && std::string_view{" \t\r\n"}.contains(c)) continue;
        if (c == '=') {
            ++padding;
            continue;
        }
        const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
        if (value == kNoDigit || padding > 0) return fail(Errc::malformed, "not base64");
        group = group << 6 | value;
        if (++digits % 4 != 0) continue;
        out += static_cast<char>(group >> 16 & 0xFF);
        out += static_cast<char>(group >> 8 & 0xFF);
        out += static_cast<char>(group & 0xFF);
    }
    const std::size_t rest = digits % 4;
    if (rest == 1 || padding != (4 - rest) % 4) return fail(Errc::malformed, "not base64: wrong length");
    if (rest >= 2) out += static_cast<char>(group >> (rest == 2 ? 4 : 10) & 0xFF);
    if (rest == 3) out += static_cast<char>(group >> 2 & 0xFF);
    const bool bits_left = (rest == 2 && (group & 0xF) != 0) || (rest == 3 && (group & 0x3) != 0);
    if (bits_left) return fail(Errc::malformed, "not base64: bits after the last octet");
    return out;
}

} // namespace penguin
