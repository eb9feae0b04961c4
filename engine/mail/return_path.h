// engine/mail/return_path.h
// The VERP return path: who bounced is told by the address, and only we can make one.
//
//   form    b-<32 hex: batch uuid>-<index base 36>-<16 hex: HMAC-SHA-256 cut to 64 bits>@<bounce host of the domain>
//   key     32 octets, derived from the installation's master key
//   errors  malformed (not of the form), denied (the HMAC is not ours)
#pragma once

#include <array>
#include <cstdint>

#include "engine/mail/email_address.h"
#include "engine/mail/message_id.h"

namespace penguin {

class ReturnPath {
public:
    explicit ReturnPath(std::array<std::uint8_t, 32> key) : key_{key} {}
    EmailAddress make(const MessageId& id, const DomainName& bounce_host) const;
    Result<MessageId> parse(const EmailAddress& address) const;

private:
    std::array<std::uint8_t, 32> key_;
};

} // namespace penguin
