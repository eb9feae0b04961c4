#include "control/http_client/verified_tls.h"

#include <stdexcept>

#include <boost/asio/ip/address.hpp>
#include <openssl/x509v3.h>

namespace penguin::control::http_client {

VerifiedTls::VerifiedTls(const std::filesystem::path& authorities, int version_min)
    : context_{SSL_CTX_new(TLS_client_method())}
{
    const bool made = context_ && SSL_CTX_set_min_proto_version(context_.get(), version_min) == 1;
    const bool trusts =
        made &&
        (authorities.empty() ? SSL_CTX_set_default_verify_paths(context_.get())
                             : SSL_CTX_load_verify_locations(context_.get(), authorities.c_str(), nullptr)) == 1;
    if (!trusts) throw std::runtime_error{"whom HTTPS trusts: " + net::take_ssl_error()};
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
}

net::SslPtr VerifiedTls::make(const std::string& host) const
{
    net::SslPtr ssl{SSL_new(context_.get())};
    if (!ssl) return ssl;
    SSL_set_connect_state(ssl.get());
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(host, not_an_address);
    const bool named = not_an_address ? SSL_set1_host(ssl.get(), host.c_str()) == 1 &&
                                            SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1
                                      : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
    return named ? std::move(ssl) : net::SslPtr{};
}

} // namespace penguin::control::http_client
