#include "engine/net/tls_context.h"

#include <array>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace penguin::net {

namespace {

constexpr long kCertificateLife = 365L * 24 * 3600; // seconds

// Where an SSL keeps the name of its peer for on_new_session. OpenSSL owns the copy through free_peer.
void free_peer(void* /*parent*/, void* peer, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argument*/, void* /*more*/)
{
    delete static_cast<std::string*>(peer);
}

int peer_index()
{
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_peer);
    return index;
}

[[noreturn]] void give_up(std::string_view doing)
{
    throw std::runtime_error{std::string{doing} + ": " + take_ssl_error()};
}

SslContextPtr make_context(const SSL_METHOD* method)
{
    SslContextPtr context{SSL_CTX_new(method)};
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) give_up("making a TLS context");
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS); // thousands of connections, most of them waiting
    return context;
}

struct OpensslFree {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

} // namespace

std::string take_ssl_error()
{
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "no reason given";
    std::array<char, 256> text{};
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

TlsClient::TlsClient() : context_{make_context(TLS_client_method())}
{
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_security_level(context_.get(), 1);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(context_.get(), on_new_session);
}

SslPtr TlsClient::make(const DomainName& host, const std::string& peer)
{
    SslPtr ssl{SSL_new(context_.get())};
    if (!ssl) return ssl;
    SSL_set_connect_state(ssl.get());
    SSL_set_tlsext_host_name(ssl.get(), host.text().c_str());
    SSL_set_ex_data(ssl.get(), peer_index(), new std::string{peer});
    if (const auto found = by_peer_.find(peer); found != by_peer_.end()) {
        newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
        SSL_set_session(ssl.get(), found->second->second.get());
    }
    return ssl;
}

// Called by OpenSSL inside a handshake or a read. 1: the reference is ours now.
int TlsClient::on_new_session(SSL* ssl, SSL_SESSION* session)
{
    auto* self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const auto* peer = static_cast<const std::string*>(SSL_get_ex_data(ssl, peer_index()));
    if (self == nullptr || peer == nullptr) return 0;
    self->keep(*peer, SslSessionPtr{session});
    return 1;
}

void TlsClient::keep(const std::string& peer, SslSessionPtr session)
{
    if (const auto found = by_peer_.find(peer); found != by_peer_.end()) {
        found->second->second = std::move(session);
        newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
        return;
    }
    newest_first_.emplace_front(peer, std::move(session));
    by_peer_.emplace(peer, newest_first_.begin());
    if (by_peer_.size() <= kSessionsMax) return;
    by_peer_.erase(newest_first_.back().first);
    newest_first_.pop_back();
}

TlsServer TlsServer::self_signed(const DomainName& name)
{
    const std::unique_ptr<EVP_PKEY, OpensslFree> key{EVP_EC_gen("P-256")};
    const std::unique_ptr<X509, OpensslFree> certificate{X509_new()};
    if (!key || !certificate) give_up("making a certificate");
    X509* x509 = certificate.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), kCertificateLife);
    X509_NAME* subject = X509_get_subject_name(x509);
    const auto* text = reinterpret_cast<const unsigned char*>(name.text().c_str());
    const std::size_t kept = std::min<std::size_t>(name.text().size(), 64); // ub-common-name of RFC 5280
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, static_cast<int>(kept), -1, 0);
    X509_set_issuer_name(x509, subject);
    X509_set_pubkey(x509, key.get());
    if (X509_sign(x509, key.get(), EVP_sha256()) == 0) give_up("signing a certificate");

    SslContextPtr context = make_context(TLS_server_method());
    SSL_CTX_set_num_tickets(context.get(), 1);
    if (SSL_CTX_use_certificate(context.get(), x509) != 1 || SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
        give_up("using a certificate");
    return TlsServer{std::move(context)};
}

SslPtr TlsServer::make() const
{
    SslPtr ssl{SSL_new(context_.get())};
    if (ssl) SSL_set_accept_state(ssl.get());
    return ssl;
}

} // namespace penguin::net
