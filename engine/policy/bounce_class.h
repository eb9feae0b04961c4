// engine/policy/bounce_class.h
// One vocabulary for why a message was not taken. Stable: these names appear in events, metrics, rules and the API.
// engine/policy/README.md says what each asks of whom.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penguin::policy {

enum class BounceClass : std::uint8_t {
    none,              // delivered
    invalid_recipient, // no such mailbox
    mailbox_disabled,  // it exists, and takes nothing
    mailbox_full,
    recipient_rate,   // the mailbox gets too much just now, from all the world
    recipient_policy, // the recipient, or their organisation, takes nothing from us or from strangers
    no_such_domain,   // the recipient's domain does not exist or has no host
    null_mx,          // the domain says that it takes no mail (RFC 7505)
    message_too_large,
    content_refused,       // what the message says or how it is made
    spam_content,          // taken for spam by what it says and links to
    policy_refused,        // who we are, or who the sender is
    ip_reputation,         // what our address did before, or that it is new
    domain_reputation,     // what the sender's domain or a linked one did before; listed ones too
    blocklisted,           // our address stands on a list that others keep
    authentication_failed, // SPF, DKIM, DMARC: missing, failing or not aligned
    reverse_dns,           // no PTR record for our address, or one that does not lead back
    list_quality,          // too many recipients that do not exist
    sender_refused,        // the envelope sender
    relay_denied,          // the host does not know the domain
    rate_limited,          // too much, too fast
    greylisted,
    server_busy,    // the host, not the message
    protocol_error, // an answer that makes no sense, or none of SMTP
    connection_failed,
    tls_failed, // the handshake, or no TLS where it is demanded
    dns_failed,
    forbidden_target, // every address of the domain is one that we must not connect to
    expired,
    suppressed,
    content_missing, // our content or signing key is not there, or cannot be rendered
    local_fault,     // ours
    undetermined,
};

std::string_view name_of(BounceClass klass); // "" for none
std::optional<BounceClass> parse_bounce_class(std::string_view name);

} // namespace penguin::policy
