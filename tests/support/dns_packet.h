// tests/support/dns_packet.h
// Builds DNS answers octet by octet, right and wrong ones, for tests of those who read them.
//
//   use     DnsPacket::answer_to(query).mx("a.example", 300, 10, "mx.a.example").bytes()
//           DnsPacket::answer("a.example", kTypeMx).rcode(3).soa("example", 60, 30).bytes()
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace penguin::tests {

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeSoa = 6;
inline constexpr std::uint16_t kTypeMx = 15;
inline constexpr std::uint16_t kTypeTxt = 16;
inline constexpr std::uint16_t kTypeAaaa = 28;

class DnsPacket {
public:
    using Bytes = std::vector<std::uint8_t>;

    // The header and question of a query, made an answer.
    static DnsPacket answer_to(std::span<const std::uint8_t> query)
    {
        DnsPacket packet;
        std::size_t end = 12;
        while (end < query.size() && query[end] != 0) end += query[end] + 1U;
        packet.bytes_.assign(query.begin(),
                             query.begin() + static_cast<std::ptrdiff_t>(std::min(end + 5, query.size())));
        packet.bytes_[2] = 0x81; // response, recursion desired
        packet.bytes_[3] = 0x80; // recursion available
        packet.bytes_[10] = packet.bytes_[11] = 0;
        return packet;
    }
    static DnsPacket answer(std::string_view name, std::uint16_t type)
    {
        Bytes query{0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0};
        put_name(query, name);
        put16(query, type);
        put16(query, 1);
        return answer_to(query);
    }

    DnsPacket& rcode(std::uint8_t code) { return set(3, static_cast<std::uint8_t>(bytes_[3] | code)); }
    DnsPacket& authentic() { return set(3, bytes_[3] | 0x20); }
    DnsPacket& truncated() { return set(2, bytes_[2] | 0x02); }
    DnsPacket& id(std::uint16_t id)
    {
        set(0, static_cast<std::uint8_t>(id >> 8));
        return set(1, static_cast<std::uint8_t>(id));
    }
    DnsPacket& set(std::size_t at, std::uint8_t octet)
    {
        bytes_.at(at) = octet;
        return *this;
    }

    DnsPacket& mx(std::string_view owner, std::uint32_t ttl, std::uint16_t preference, std::string_view exchange)
    {
        Bytes data;
        put16(data, preference);
        put_name(data, exchange);
        return record(owner, kTypeMx, ttl, data);
    }
    DnsPacket& cname(std::string_view owner, std::uint32_t ttl, std::string_view target)
    {
        Bytes data;
        put_name(data, target);
        return record(owner, kTypeCname, ttl, data);
    }
    DnsPacket& address(std::string_view owner, std::uint32_t ttl, std::string_view text)
    {
        const auto address = boost::asio::ip::make_address(std::string{text});
        if (address.is_v4()) {
            const auto octets = address.to_v4().to_bytes();
            return record(owner, kTypeA, ttl, Bytes(octets.begin(), octets.end()));
        }
        const auto octets = address.to_v6().to_bytes();
        return record(owner, kTypeAaaa, ttl, Bytes(octets.begin(), octets.end()));
    }
    DnsPacket& txt(std::string_view owner, std::uint32_t ttl, const std::vector<std::string>& strings)
    {
        Bytes data;
        for (const std::string& text : strings) {
            data.push_back(static_cast<std::uint8_t>(text.size()));
            data.insert(data.end(), text.begin(), text.end());
        }
        return record(owner, kTypeTxt, ttl, data);
    }
    // In the authority section: after it, no more answers.
    DnsPacket& soa(std::string_view owner, std::uint32_t ttl, std::uint32_t minimum)
    {
        Bytes data;
        put_name(data, "ns.example");
        put_name(data, "hostmaster.example");
        for (int i = 0; i < 4; ++i) put32(data, 1);
        put32(data, minimum);
        return record(owner, kTypeSoa, ttl, data, 9);
    }
    // `counter`: the low octet of the section's count, 7 for answers, 9 for authorities.
    DnsPacket& record(std::string_view owner, std::uint16_t type, std::uint32_t ttl, const Bytes& data,
                      std::size_t counter = 7)
    {
        put_name(bytes_, owner);
        put16(bytes_, type);
        put16(bytes_, 1);
        put32(bytes_, ttl);
        put16(bytes_, static_cast<std::uint16_t>(data.size()));
        bytes_.insert(bytes_.end(), data.begin(), data.end());
        if (++bytes_[counter] == 0) ++bytes_[counter - 1];
        return *this;
    }
    DnsPacket& raw(std::initializer_list<std::uint8_t> octets)
    {
        bytes_.insert(bytes_.end(), octets);
        return *this;
    }

    const Bytes& bytes() const { return bytes_; }

    // The name that a query asks for, and its type.
    static std::string name_in(std::span<const std::uint8_t> query)
    {
        std::string name;
        std::size_t at = 12;
        while (at < query.size() && query[at] != 0) {
            if (!name.empty()) name += '.';
            for (std::size_t i = 1; i <= query[at] && at + i < query.size(); ++i)
                name += static_cast<char>(query[at + i]);
            at += query[at] + 1U;
        }
        return name;
    }
    static std::uint16_t type_in(std::span<const std::uint8_t> query)
    {
        return static_cast<std::uint16_t>(query[query.size() - 4] << 8 | query[query.size() - 3]);
    }

private:
    static void put16(Bytes& out, std::uint16_t value)
    {
        out.push_back(static_cast<std::uint8_t>(value >> 8));
        out.push_back(static_cast<std::uint8_t>(value));
    }
    static void put32(Bytes& out, std::uint32_t value)
    {
        put16(out, static_cast<std::uint16_t>(value >> 16));
        put16(out, static_cast<std::uint16_t>(value));
    }
    static void put_name(Bytes& out, std::string_view name)
    {
        while (!name.empty()) {
            const std::string_view label = name.substr(0, name.find('.'));
            out.push_back(static_cast<std::uint8_t>(label.size()));
            out.insert(out.end(), label.begin(), label.end());
            name.remove_prefix(std::min(name.size(), label.size() + 1));
        }
        out.push_back(0);
    }

    Bytes bytes_;
};

} // namespace penguin::tests
