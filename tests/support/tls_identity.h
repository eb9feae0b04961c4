// tests/support/tls_identity.h
// A certificate that signs itself, of one name (RFC 9525: in subjectAltName), for servers of tests.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "engine/net/tls_context.h"

namespace penguin::tests {

struct X509Free {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509_EXTENSION* extension) const noexcept { X509_EXTENSION_free(extension); }
};

// `name`: "keys.example", or "IP:127.0.0.1".
struct Identity {
    std::unique_ptr<EVP_PKEY, X509Free> key{EVP_EC_gen("P-256")};
    std::unique_ptr<X509, X509Free> certificate{X509_new()};

    explicit Identity(const std::string& name)
    {
        X509* x509 = certificate.get();
        X509_set_version(x509, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
        X509_gmtime_adj(X509_getm_notBefore(x509), -3'600);
        X509_gmtime_adj(X509_getm_notAfter(x509), 3'600);
        X509_set_pubkey(x509, key.get());
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
        const std::string names = name.starts_with("IP:") ? name : "DNS:" + name;
        const std::unique_ptr<X509_EXTENSION, X509Free> alt{
            X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, names.c_str())};
        X509_add_ext(x509, alt.get(), -1);
        X509_sign(x509, key.get(), EVP_sha256());
    }
    net::SslContextPtr server() const
    {
        net::SslContextPtr context{SSL_CTX_new(TLS_server_method())};
        SSL_CTX_use_certificate(context.get(), certificate.get());
        SSL_CTX_use_PrivateKey(context.get(), key.get());
        return context;
    }
    void write(const std::filesystem::path& file) const
    {
        std::FILE* out = std::fopen(file.c_str(), "w");
        PEM_write_X509(out, certificate.get());
        std::fclose(out);
    }
    void write_key(const std::filesystem::path& file) const
    {
        std::FILE* out = std::fopen(file.c_str(), "w");
        PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(out);
    }
};

} // namespace penguin::tests
