// dkim/signer.h
// Our own DKIM signer on OpenSSL with cached keys: the Signer port of the engine.
//
//   out      rsa-sha256, and ed25519-sha256 beside it where the domain has such a key; relaxed/relaxed; d= is the From
//            domain; t= now, x= now + lifetime; no l=. From, Subject, To, Date and the like are named once more than
//            they are there, so that nobody can add one (RFC 6376 8.15). Lines fold below 78 octets
//   audit    which signatures the judge must see, and what a failure stops: dkim/signature_audit.h
//   threads  sign on any; audit on any executor, its look-ups run on the resolver's
//   errors   missing (no RSA key of that tenant and domain), denied (stopped by a failed audit), malformed (a message
//   with
//            no header, or with a bare CR or LF), local_fault
//   source   RFC 6376, RFC 8463
#pragma once

#include <chrono>
#include <functional>

#include "dkim/key_ring.h"
#include "dkim/opendkim_verifier.h"
#include "dkim/signature_audit.h"
#include "dkim/signature_field.h"
#include "engine/base/metrics.h"
#include "engine/dns/resolver.h"
#include "engine/mail/signer.h"

namespace penguin::dkim {

struct SignerOptions {
    std::chrono::seconds lifetime = std::chrono::days{7}; // x= minus t=; 0: no x=
    AuditOptions audit;
    std::function<WallTime()> clock = wall_now; // when an audit ends
};

class DkimSigner final : public Signer {
public:
    // `resolver` lives on `resolver_executor`; both outlive the signer.
    DkimSigner(const MasterKey& master, SignerOptions options, asio::any_io_executor resolver_executor,
               dns::Resolver& resolver, Registry& metrics);

    // The keys that are live now, from the settings' snapshot. Any thread.
    void replace_keys(const std::vector<SigningKey>& keys) { audit_.keep_only(ring_.replace(keys)); }

    Result<Signature> sign(const SigningRequest& request) override;
    awaitable<Result<>> audit(TenantId tenant, DomainName domain, std::string signed_message) override;

private:
    Result<Signature> signed_by_keys(const SigningRequest& request);
    Result<std::string> field(const LiveKey& key, const MessageDigest& digest, WallTime now);
    awaitable<Result<>> look_up_keys(std::vector<SignatureName> names, PublishedKeys& keys);
    Result<> judge(TenantId tenant, const DomainName& domain, const std::vector<SignatureName>& names,
                   const std::vector<SignatureVerdict>& verdicts);

    SignerOptions options_;
    asio::any_io_executor resolver_executor_;
    dns::Resolver& resolver_;
    KeyRing ring_;
    SignatureAudit audit_;
    OpendkimVerifier verifier_;
    Counter& signed_rsa_;
    Counter& signed_ed25519_;
    Counter& signed_before_;
    Counter& failed_;
    Counter& unavailable_;
};

} // namespace penguin::dkim
