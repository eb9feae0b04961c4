// engine/policy/bounce_class.h
// One vocabulary for why a message was not taken. Stable: these names appear in events, metrics and the API.
#pragma once

#include <cstdint>
#include <string_view>

namespace penguin::policy {

enum class BounceClass : std::uint8_t {
    none,              // delivered
    invalid_recipient, // no such mailbox
    mailbox_disabled,  // it exists, and takes nothing
    mailbox_full,
    no_such_domain, // the recipient's domain does not exist or has no host
    null_mx,        // the domain says that it takes no mail (RFC 7505)
    message_too_large,
    content_refused, // what the message says or how it is made
    policy_refused,  // who we are, or who the sender is
    sender_refused,  // the envelope sender
    relay_denied,    // the host does not know the domain
    rate_limited,    // too much, too fast
    greylisted,
    server_busy,    // the host, not the message
    protocol_error, // an answer that makes no sense, or none of SMTP
    connection_failed,
    tls_failed,
    dns_failed,
    forbidden_target, // every address of the domain is one that we must not connect to
    expired,
    suppressed,
    content_missing, // our content or signing key is not there, or cannot be rendered
    local_fault,     // ours
    undetermined,
};

std::string_view name_of(BounceClass klass);

} // namespace penguin::policy
