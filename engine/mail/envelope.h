// engine/mail/envelope.h
// What MAIL and RCPT say of one transaction (RFC 5321 2.3.1).
#pragma once

#include <optional>
#include <vector>

#include "engine/mail/email_address.h"

namespace penguin {

struct Envelope {
    std::optional<EmailAddress> sender; // nothing: the null sender <>
    std::vector<EmailAddress> recipients;
};

} // namespace penguin
