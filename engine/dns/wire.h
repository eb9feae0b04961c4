// engine/dns/wire.h
// Reads the parts of a DNS message (RFC 1035 4.1) from bytes that may be anything.
//
//   use     WireReader in{packet}; in.u16(); in.name(); ... if (!in.ok()) return fail(...)
//   errors  after the first read beyond the end, or a bad name, ok() is false and every read gives 0 or ""
//   limits  a name has 255 octets and kPointersMax compression pointers, each pointing backwards
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace penguin::dns {

inline constexpr std::size_t kPointersMax = 127; // a name of 255 octets has no more labels than that

class WireReader {
public:
    explicit WireReader(std::span<const std::uint8_t> packet, std::size_t at = 0) : packet_{packet}, at_{at} {}

    bool ok() const { return ok_; }
    std::size_t at() const { return at_; }
    std::uint8_t u8();
    std::uint16_t u16();
    std::uint32_t u32();
    std::span<const std::uint8_t> bytes(std::size_t count);
    void skip(std::size_t count) { bytes(count); }
    std::string name(); // the form of answer_parser.h

private:
    std::span<const std::uint8_t> packet_;
    std::size_t at_;
    bool ok_ = true;
};

} // namespace penguin::dns
