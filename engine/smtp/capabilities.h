// engine/smtp/capabilities.h
// What a server offers, read from its reply to EHLO (RFC 5321 4.1.1.1). Keywords that we do not know are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/smtp/reply.h"

namespace penguin::smtp {

struct Capabilities {
    std::string name;                        // how the server calls itself, cut at kNameMax octets
    bool esmtp = false;                      // it answered EHLO; after HELO nothing below is offered
    bool starttls = false;                   // RFC 3207
    bool pipelining = false;                 // RFC 2920
    bool eight_bit_mime = false;             // RFC 6152
    bool smtputf8 = false;                   // RFC 6531
    bool chunking = false;                   // RFC 3030
    bool enhanced_status_codes = false;      // RFC 2034
    bool dsn = false;                        // RFC 3461
    bool size = false;                       // RFC 1870: SIZE= may be said in MAIL
    std::optional<std::uint64_t> size_limit; // octets of a message; nothing: no limit was declared

    static constexpr std::size_t kNameMax = 255;

    static Capabilities of_ehlo(const Reply& reply);
    static Capabilities of_helo(const Reply& reply);
    friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

} // namespace penguin::smtp
