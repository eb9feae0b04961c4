#include "engine/policy/bounce_class.h"

namespace penguin::policy {

std::string_view name_of(BounceClass klass)
{
    switch (klass) {
    case BounceClass::none: return "";
    case BounceClass::invalid_recipient: return "invalid_recipient";
    case BounceClass::mailbox_disabled: return "mailbox_disabled";
    case BounceClass::mailbox_full: return "mailbox_full";
    case BounceClass::recipient_rate: return "recipient_rate";
    case BounceClass::recipient_policy: return "recipient_policy";
    case BounceClass::no_such_domain: return "no_such_domain";
    case BounceClass::null_mx: return "null_mx";
    case BounceClass::message_too_large: return "message_too_large";
    case BounceClass::content_refused: return "content_refused";
    case BounceClass::spam_content: return "spam_content";
    case BounceClass::policy_refused: return "policy_refused";
    case BounceClass::ip_reputation: return "ip_reputation";
    case BounceClass::domain_reputation: return "domain_reputation";
    case BounceClass::blocklisted: return "blocklisted";
    case BounceClass::authentication_failed: return "authentication_failed";
    case BounceClass::reverse_dns: return "reverse_dns";
    case BounceClass::list_quality: return "list_quality";
    case BounceClass::sender_refused: return "sender_refused";
    case BounceClass::relay_denied: return "relay_denied";
    case BounceClass::rate_limited: return "rate_limited";
    case BounceClass::greylisted: return "greylisted";
    case BounceClass::server_busy: return "server_busy";
    case BounceClass::protocol_error: return "protocol_error";
    case BounceClass::connection_failed: return "connection_failed";
    case BounceClass::tls_failed: return "tls_failed";
    case BounceClass::dns_failed: return "dns_failed";
    case BounceClass::forbidden_target: return "forbidden_target";
    case BounceClass::expired: return "expired";
    case BounceClass::suppressed: return "suppressed";
    case BounceClass::content_missing: return "content_missing";
    case BounceClass::local_fault: return "local_fault";
    case BounceClass::undetermined: return "undetermined";
    }
    return "undetermined";
}

std::optional<BounceClass> parse_bounce_class(std::string_view name)
{
    for (int i = 0; i <= static_cast<int>(BounceClass::undetermined); ++i)
        if (name_of(static_cast<BounceClass>(i)) == name) return static_cast<BounceClass>(i);
    return std::nullopt;
}

} // namespace penguin::policy
