// engine/dns/resolver.h
// The port to the DNS. Real: CaresResolver; tests: ZoneTable.
//
//   out     records with the time they may be kept; "no such name" and "no such record" are answers, not errors
//   errors  unavailable (SERVFAIL, REFUSED, no server answers), timeout, malformed (an answer that makes no sense);
//           ours, saying nothing about the name: full (too many look-ups), cancelled, local_fault
//   source  RFC 1035, RFC 2308 (negative answers)
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "engine/base/asio.h"
#include "engine/mail/domain_name.h"

namespace penguin::dns {

struct MxRecord {
    std::uint16_t preference = 0;
    std::string exchange; // as in the answer, lower case, no final dot; empty: the null MX (RFC 7505)
    friend bool operator==(const MxRecord&, const MxRecord&) = default;
};

template <class Record>
struct Answer {
    enum class Kind : std::uint8_t { found, no_data, no_name };
    Kind kind = Kind::found;
    std::vector<Record> records; // empty unless found; CNAMEs already followed (at most 8)
    std::chrono::seconds ttl{0}; // smallest of the answer; for no_data and no_name from the SOA (RFC 2308)
    bool authentic = false;      // AD bit
};

class Resolver {
public:
    virtual ~Resolver() = default;
    virtual awaitable<Result<Answer<MxRecord>>> mx(DomainName name) = 0;
    virtual awaitable<Result<Answer<asio::ip::address>>> a(DomainName name) = 0;
    virtual awaitable<Result<Answer<asio::ip::address>>> aaaa(DomainName name) = 0;
    virtual awaitable<Result<Answer<std::string>>> txt(DomainName name) = 0; // strings of a record joined
};

} // namespace penguin::dns
