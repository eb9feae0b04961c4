// control/http_client/verified_tls.h
// TLS of a client that knows whom it talks to: the certificate must be of the host and of an authority that we trust.
//
//   host    a name of DNS, or an address (then the certificate must name the address; RFC 9110 4.3.5). No wildcard within a label
//   errors  the constructor throws std::runtime_error when OpenSSL cannot, or the file of authorities cannot be read (at start)
//   source  RFC 9525, RFC 6066 3
#pragma once

#include <filesystem>
#include <string>

#include "engine/net/tls_context.h"

namespace penguin::control::http_client {

class VerifiedTls {
public:
    // `authorities`: PEM, empty for those of the system. `version_min`: TLS1_2_VERSION or TLS1_3_VERSION.
    VerifiedTls(const std::filesystem::path& authorities, int version_min);

    // A client's end; null when OpenSSL cannot (net::take_ssl_error says why).
    net::SslPtr make(const std::string& host) const;

private:
    net::SslContextPtr context_;
};

} // namespace penguin::control::http_client
