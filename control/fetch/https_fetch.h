// The one way out over HTTPS to a place that somebody else named. It cannot be led to what is not public (SSRF).
//
//   where    one of Options::ports. The host is looked up once; every address that DNS gives must be public and not ours
//            (dns::TargetRule), else nothing is asked. What was checked is what is connected to: another answer of DNS later changes nothing
//   TLS      1.2 and above; the certificate must be of the host and of an authority that we trust
//   answer   the body of a 200. A redirect is an error, not followed. No proxy, no cookie, no credential
//   limits   `limit` for everything, kAddressesTried, kHeadMax, `body_max`
//   errors   refused (port, address, status), not_found (no such host), tls_failed, full (a body over body_max), malformed, timeout,
//            unavailable and others of DNS and the network. Never a word of what the other side said
//   threads  belongs to one io_context
//   source   RFC 9110, RFC 9112, RFC 6890 (what is not public)
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "control/fetch/fetch_url.h"
#include "control/http_client/verified_tls.h"
#include "engine/dns/mx_routes.h"
#include "engine/net/tls_stream.h"

namespace penguin::control::fetch {

class HttpsFetch {
public:
    static constexpr std::size_t kAddressesTried = 4;
    static constexpr std::size_t kHeadMax = 8 * 1024; // octets

    struct Options {
        std::vector<std::uint16_t> ports{443, 8443};
        std::chrono::milliseconds limit{5'000};
        std::size_t body_max = 64 * 1024;  // octets
        std::filesystem::path authorities; // PEM; empty: those of the system
    };
    // Throws std::runtime_error when OpenSSL cannot, or the file of authorities cannot be read (at start).
    HttpsFetch(dns::Resolver& resolver, dns::TargetRule rule, Options options);

    awaitable<Result<std::string>> get(FetchUrl url);

private:
    awaitable<Result<std::vector<asio::ip::address>>> addresses_of(DomainName host);
    awaitable<Result<std::string>> get_before(FetchUrl url, SteadyTime deadline);
    awaitable<Result<std::unique_ptr<net::TlsStream>>> open(FetchUrl url, SteadyTime deadline);

    dns::Resolver& resolver_;
    dns::TargetRule rule_;
    Options options_;
    http_client::VerifiedTls tls_;
};

} // namespace penguin::control::fetch
