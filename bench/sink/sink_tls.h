// bench/sink/sink_tls.h
// The sink's side of TLS: a certificate of its own making, good or bad in a chosen way. Shared by all threads.
//
//   good          for its name, valid for a year: EC P-256, self-signed, what most receivers of mail show
//   expired       its year ended yesterday
//   wrong_name    for another name
//   old_protocol  TLS 1.0 and 1.1 only
//   errors        local_fault: OpenSSL cannot
#pragma once

#include "bench/sink/sink_profile.h"
#include "engine/mail/domain_name.h"
#include "engine/net/tls_context.h"

namespace penguin::bench {

class SinkTls {
public:
    static constexpr std::string_view kOtherName = "another-name.invalid"; // of wrong_name

    // `variant` none or stalled is the caller's business: the context is as of good.
    static Result<SinkTls> make(const DomainName& name, ProviderTls variant);
    net::SslPtr connection() const;

private:
    explicit SinkTls(net::SslContextPtr context) : context_{std::move(context)} {}
    net::SslContextPtr context_;
};

} // namespace penguin::bench
