#include "control/fetch/https_fetch.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "engine/net/connector.h"

namespace penguin::control::fetch {

namespace {

namespace beast = boost::beast;
using Parser = beast::http::response_parser<beast::http::string_body>;

net::SslContextPtr trusting(const std::filesystem::path& authorities)
{
    net::SslContextPtr context{SSL_CTX_new(TLS_client_method())};
    const bool made = context && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1;
    const bool trusts =
        made && (authorities.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                     : SSL_CTX_load_verify_locations(context.get(), authorities.c_str(), nullptr)) == 1;
    if (!trusts) throw std::runtime_error{"whom HTTPS trusts: " + net::take_ssl_error()};
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    return context;
}

std::string request_text(const FetchUrl& url)
{
    const std::string host = url.port == 443 ? url.host.text() : fmt::format("{}:{}", url.host.text(), url.port);
    return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: penguin-mta\r\nAccept: */*\r\n"
                       "Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
                       url.target, host);
}

Error fault_of(const error_code& code)
{
    if (code == beast::http::error::body_limit) return {Errc::full, "the answer is too large"};
    if (code == beast::http::error::header_limit) return {Errc::malformed, "the head of the answer is too large"};
    return {Errc::malformed, "the answer is not one of HTTP"};
}

// Reads until the parser has a whole answer.
awaitable<Result<>> read_into(Parser& parser, net::TlsStream& stream, SteadyTime deadline)
{
    std::array<char, 4'096> octets{};
    std::string pending; // what the parser has not taken yet
    while (!parser.is_done()) {
        const Result<std::size_t> count = co_await stream.read_some(octets, deadline);
        error_code code;
        if (count) {
            pending.append(octets.data(), *count);
            pending.erase(0, parser.put(asio::buffer(pending), code));
        } else if (count.error().code == Errc::closed) {
            parser.put_eof(code);
            if (!code && !parser.is_done()) code = beast::http::error::partial_message;
        } else {
            co_return std::unexpected{count.error()};
        }
        if (code && code != beast::http::error::need_more) co_return std::unexpected{fault_of(code)};
    }
    co_return Result<>{};
}

} // namespace

HttpsFetch::HttpsFetch(dns::Resolver& resolver, dns::TargetRule rule, Options options)
    : resolver_{resolver},
      rule_{std::move(rule)},
      options_{std::move(options)},
      context_{trusting(options_.authorities)}
{
}

net::SslPtr HttpsFetch::ssl_for(const DomainName& host) const
{
    net::SslPtr ssl{SSL_new(context_.get())};
    if (!ssl) return ssl;
    SSL_set_connect_state(ssl.get());
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const bool named = SSL_set1_host(ssl.get(), host.text().c_str()) == 1 &&
                       SSL_set_tlsext_host_name(ssl.get(), host.text().c_str()) == 1;
    return named ? std::move(ssl) : net::SslPtr{};
}

awaitable<Result<std::vector<asio::ip::address>>> HttpsFetch::addresses_of(DomainName host)
{
    std::vector<asio::ip::address> addresses;
    for (const bool v6 : {false, true}) {
        const Result<dns::Answer<asio::ip::address>> answer = co_await (v6 ? resolver_.aaaa(host) : resolver_.a(host));
        if (!answer) co_return std::unexpected{answer.error()};
        addresses.insert(addresses.end(), answer->records.begin(), answer->records.end());
    }
    if (addresses.empty()) co_return fail(Errc::not_found, host.text() + " has no address");
    if (!std::ranges::all_of(addresses, [this](const auto& one) { return rule_.permits(one); }))
        co_return fail(Errc::refused, host.text() + " has an address that is not public or ours");
    if (addresses.size() > kAddressesTried) addresses.resize(kAddressesTried);
    co_return addresses;
}

awaitable<Result<std::unique_ptr<net::TlsStream>>> HttpsFetch::open(FetchUrl url, SteadyTime deadline)
{
    const Result<std::vector<asio::ip::address>> addresses = co_await addresses_of(url.host);
    if (!addresses) co_return std::unexpected{addresses.error()};
    Error last{Errc::unreachable, {}};
    for (const asio::ip::address& address : *addresses) {
        Result<std::unique_ptr<net::TcpStream>> tcp = co_await net::connect({}, {address, url.port}, deadline);
        if (!tcp) {
            last = tcp.error();
            continue;
        }
        net::SslPtr ssl = ssl_for(url.host);
        if (!ssl) co_return fail(Errc::local_fault, "TLS: " + net::take_ssl_error());
        Result<std::unique_ptr<net::TlsStream>> stream =
            co_await net::TlsStream::start(std::move(*tcp), std::move(ssl), deadline);
        co_return stream;
    }
    co_return std::unexpected{last};
}

awaitable<Result<std::string>> HttpsFetch::get_before(FetchUrl url, SteadyTime deadline)
{
    const Result<std::unique_ptr<net::TlsStream>> stream = co_await open(url, deadline);
    if (!stream) co_return std::unexpected{stream.error()};
    const std::string request = request_text(url);
    const std::array<std::string_view, 1> pieces{request};
    const Result<> written = co_await (*stream)->write(pieces, deadline);
    if (!written) co_return std::unexpected{written.error()};
    Parser parser;
    parser.eager(true);
    parser.header_limit(kHeadMax);
    parser.body_limit(options_.body_max);
    const Result<> read = co_await read_into(parser, **stream, deadline);
    if (!read) co_return std::unexpected{read.error()};
    const unsigned status = parser.get().result_int();
    if (status >= 300 && status < 400) co_return fail(Errc::refused, "a redirect, which is not followed");
    if (status != 200) co_return fail(Errc::refused, fmt::format("answered with status {}", status));
    co_return std::move(parser.get().body());
}

awaitable<Result<std::string>> HttpsFetch::get(FetchUrl url)
{
    const std::string what = "GET https://" + url.host.text();
    if (std::ranges::find(options_.ports, url.port) == options_.ports.end())
        co_return fail(Errc::refused, fmt::format("{}: port {} is not one that we go to", what, url.port));
    const SteadyTime deadline = std::chrono::steady_clock::now() + options_.limit;
    Result<std::string> body = co_await within(options_.limit, what, get_before(std::move(url), deadline));
    if (!body) co_return fail(body.error(), what);
    co_return body;
}

} // namespace penguin::control::fetch
