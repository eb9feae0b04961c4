#include "bench/sink/sink_tls.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

namespace penguin::bench {

namespace {

constexpr long kDay = 24L * 3600; // seconds
constexpr long kYear = 365 * kDay;
constexpr std::size_t kCommonNameMax = 64; // octets (RFC 5280, ub-common-name)

struct OpensslFree {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const noexcept { X509_EXTENSION_free(extension); }
};
template <class T>
using Owned = std::unique_ptr<T, OpensslFree>;

std::unexpected<Error> cannot(std::string_view doing)
{
    return fail(Errc::local_fault, "TLS: " + std::string{doing} + ": " + net::take_ssl_error());
}

bool name_it(X509* certificate, const std::string& name)
{
    X509_NAME* subject = X509_get_subject_name(certificate);
    const auto* text = reinterpret_cast<const unsigned char*>(name.data());
    const auto length = static_cast<int>(std::min(name.size(), kCommonNameMax));
    if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, length, -1, 0) != 1) return false;
    const std::string names = "DNS:" + name;
    const Owned<X509_EXTENSION> extension{X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str())};
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

Owned<X509> certificate_of(EVP_PKEY* key, const std::string& name, bool expired)
{
    Owned<X509> certificate{X509_new()};
    const long begins = expired ? -kYear - kDay : -3600;
    if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), begins) == nullptr ||
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), begins + kYear) == nullptr ||
        !name_it(certificate.get(), name) || X509_set_pubkey(certificate.get(), key) != 1 ||
        X509_sign(certificate.get(), key, EVP_sha256()) == 0)
        return nullptr;
    return certificate;
}

// Security level 0: nothing above it speaks TLS 1.0 and 1.1.
bool make_old(SSL_CTX* context)
{
    SSL_CTX_set_security_level(context, 0);
    return SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION) == 1;
}

} // namespace

Result<SinkTls> SinkTls::make(const DomainName& name, ProviderTls variant)
{
    const std::string shown = variant == ProviderTls::wrong_name ? std::string{kOtherName} : name.text();
    const Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
    if (!key) return cannot("making a key");
    const Owned<X509> certificate = certificate_of(key.get(), shown, variant == ProviderTls::expired);
    if (!certificate) return cannot("making a certificate");

    net::SslContextPtr context{SSL_CTX_new(TLS_server_method())};
    const bool old = variant == ProviderTls::old_protocol;
    if (!context ||
        !(old ? make_old(context.get()) : SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1))
        return cannot("making a context");
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS); // thousands of connections, most of them waiting
    SSL_CTX_set_num_tickets(context.get(), 1);
    if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
        return cannot("using the certificate");
    return SinkTls{std::move(context)};
}

net::SslPtr SinkTls::connection() const
{
    net::SslPtr ssl{SSL_new(context_.get())};
    if (ssl) SSL_set_accept_state(ssl.get());
    return ssl;
}

} // namespace penguin::bench
