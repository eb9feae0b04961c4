// engine/mail/signer.h
// The port to DKIM (RFC 6376). Implemented in dkim/, used by engine/delivery just before a message is sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/asio.h"
#include "engine/base/uuid.h"
#include "engine/mail/domain_name.h"

namespace penguin {

struct SigningRequest {
    TenantId tenant;
    DomainName domain;        // d=, the domain of the From field
    std::string_view message; // whole, CRLF line ends; only read during the call
    WallTime now;
};

struct Signature {
    std::string header_fields; // DKIM-Signature fields with CRLF, to stand before the message; empty: sent unsigned
    bool audit_wanted = false; // the judge must see this one before it leaves (Signer::audit)
};

class Signer {
public:
    virtual ~Signer() = default;

    // CPU work of about 0.3 ms; called on worker threads, any number at a time.
    // A message that already carries a DKIM-Signature of `domain` comes back with empty header_fields.
    // Errors: missing (no active key of that tenant and domain), local_fault (key cannot be opened, OpenSSL failed).
    virtual Result<Signature> sign(const SigningRequest& request) = 0;

    // Verifies the signed message with another implementation against the key that DNS publishes now.
    // Errors: denied (the signature does not verify: the domain must stop), unavailable (DNS did not answer).
    virtual awaitable<Result<>> audit(TenantId tenant, DomainName domain, std::string signed_message) = 0;
};

} // namespace penguin
