#include "control/fetch/https_fetch.h"

#include <algorithm>

#include <fmt/format.h>

#include "control/http_client/exchange.h"
#include "engine/net/connector.h"

namespace penguin::control::fetch {

namespace {

http_client::Request request_of(const FetchUrl& url)
{
    return {.target = url.target,
            .host = url.port == 443 ? url.host.text() : fmt::format("{}:{}", url.host.text(), url.port),
            .fields = {{"User-Agent", "penguin-mta"}, {"Accept", "*/*"}, {"Accept-Encoding", "identity"}},
            .body = {}};
}

} // namespace

HttpsFetch::HttpsFetch(dns::Resolver& resolver, dns::TargetRule rule, Options options)
    : resolver_{resolver},
      rule_{std::move(rule)},
      options_{std::move(options)},
      tls_{options_.authorities, TLS1_2_VERSION}
{
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
        net::SslPtr ssl = tls_.make(url.host.text());
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
    Result<http_client::Answer> answer = co_await http_client::exchange(
        **stream, request_of(url), {.head_max = kHeadMax, .body_max = options_.body_max}, deadline);
    if (!answer) co_return std::unexpected{answer.error()};
    const unsigned status = answer->status;
    if (status >= 300 && status < 400) co_return fail(Errc::refused, "a redirect, which is not followed");
    if (status != 200) co_return fail(Errc::refused, fmt::format("answered with status {}", status));
    co_return std::move(answer->body);
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
