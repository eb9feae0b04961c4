// engine/net/tls_context.h
// What TLS connections of one kind share: settings, and for clients the sessions to resume.
//
//   client  TLS 1.2 and above. Opportunistic: no certificate is demanded, security level 1, since the other choice is
//           clear text. One a thread: not shared.
//   server  a certificate of our own making; may be shared between threads
//   limits  kSessionsMax peers whose last session is kept; the one that was used longest ago goes first
//   errors  constructors throw std::runtime_error when OpenSSL cannot (at start)
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <openssl/ssl.h>

#include "engine/base/result.h"
#include "engine/mail/domain_name.h"

namespace penguin::net {

struct SslFree {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, SslFree>;
using SslPtr = std::unique_ptr<SSL, SslFree>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, SslFree>;

// The oldest entry of OpenSSL's error queue as text; empties the queue.
std::string take_ssl_error();

class TlsClient {
public:
    static constexpr std::size_t kSessionsMax = 1024;

    TlsClient();
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    // A client's end that will greet `host` and resume the last session with `peer` (host and address).
    SslPtr make(const DomainName& host, const std::string& peer);
    std::size_t sessions() const noexcept { return by_peer_.size(); }

private:
    using Kept = std::pair<std::string, SslSessionPtr>;
    static int on_new_session(SSL* ssl, SSL_SESSION* session);
    void keep(const std::string& peer, SslSessionPtr session);

    SslContextPtr context_;
    std::list<Kept> newest_first_;
    std::unordered_map<std::string, std::list<Kept>::iterator> by_peer_;
};

class TlsServer {
public:
    // EC P-256, valid for a year: what most receivers of mail show.
    static TlsServer self_signed(const DomainName& name);
    SslPtr make() const;

private:
    explicit TlsServer(SslContextPtr context) : context_{std::move(context)} {}
    SslContextPtr context_;
};

} // namespace penguin::net
