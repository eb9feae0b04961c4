#include "engine/dns/wire.h"

namespace penguin::dns {

namespace {

constexpr std::size_t kNameOctetsMax = 255;
constexpr std::uint8_t kPointerBits = 0xC0;

void append_label(std::string& text, std::span<const std::uint8_t> label)
{
    if (!text.empty()) text += '.';
    for (const std::uint8_t octet : label) {
        const char c = static_cast<char>(octet);
        if (octet > 0x20 && octet < 0x7F && c != '.' && c != '\\') {
            text += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            continue;
        }
        text += '\\';
        text += static_cast<char>('0' + octet / 100);
        text += static_cast<char>('0' + octet / 10 % 10);
        text += static_cast<char>('0' + octet % 10);
    }
}

} // namespace

std::span<const std::uint8_t> WireReader::bytes(std::size_t count)
{
    if (!ok_ || at_ > packet_.size() || packet_.size() - at_ < count) {
        ok_ = false;
        return {};
    }
    const auto part = packet_.subspan(at_, count);
    at_ += count;
    return part;
}

std::uint8_t WireReader::u8()
{
    const auto part = bytes(1);
    return part.empty() ? 0 : part[0];
}

std::uint16_t WireReader::u16()
{
    const auto part = bytes(2);
    return part.empty() ? 0 : static_cast<std::uint16_t>(part[0] << 8 | part[1]);
}

std::uint32_t WireReader::u32()
{
    const std::uint32_t high = u16();
    const std::uint32_t low = u16();
    return high << 16 | low;
}

std::string WireReader::name()
{
    std::string text;
    std::size_t octets = 0;
    std::size_t pointers = 0;
    std::size_t after = 0; // where reading goes on once the first pointer has been followed
    while (ok_) {
        const std::size_t label_at = at_;
        const std::uint8_t length = u8();
        if (!ok_) return {};
        if (length == 0) {
            if (pointers > 0) at_ = after;
            return text;
        }
        if ((length & kPointerBits) == kPointerBits) {
            const std::size_t target = static_cast<std::size_t>(length & ~kPointerBits) << 8 | u8();
            if (pointers == 0) after = at_;
            // Only backwards: a name cannot then contain itself.
            if (!ok_ || target >= label_at || ++pointers > kPointersMax) break;
            at_ = target;
            continue;
        }
        octets += length + 1U;
        if ((length & kPointerBits) != 0 || octets >= kNameOctetsMax) break;
        append_label(text, bytes(length));
    }
    ok_ = false;
    return {};
}

} // namespace penguin::dns
