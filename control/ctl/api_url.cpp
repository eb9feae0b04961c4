#include "control/ctl/api_url.h"

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <fmt/format.h>

namespace penguin::control::ctl {

namespace {

constexpr std::size_t kSocketPathMax = 107; // octets, sun_path without its final zero

bool is_loopback(const std::string& host)
{
    boost::system::error_code code;
    const boost::asio::ip::address address = boost::asio::ip::make_address(host, code);
    return code ? host == "localhost" : address.is_loopback();
}

Result<ApiUrl> parse_unix(std::string_view path)
{
    if (!path.starts_with('/') || path.size() > kSocketPathMax)
        return fail(Errc::bad_value,
                    fmt::format("unix: is followed by an absolute path of at most {} octets", kSocketPathMax));
    return ApiUrl{.host = {}, .socket = std::string{path}};
}

} // namespace

Result<ApiUrl> ApiUrl::parse(std::string_view text)
{
    const auto wrong = [](std::string rule) { return fail(Errc::bad_value, std::move(rule)); };
    if (text.starts_with("unix:")) return parse_unix(text.substr(5));
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed)
        return wrong("must be a URL such as https://mta1.example.com:8025, http://127.0.0.1:8025 or unix:/run/x.sock");
    const boost::urls::url_view& url = *parsed;
    if (url.scheme() != "https" && url.scheme() != "http") return wrong("the scheme is https, http or unix");
    if (url.has_userinfo()) return wrong("no user and no password in it: they have places of their own");
    if ((!url.encoded_path().empty() && url.encoded_path() != "/") || url.has_query() || url.has_fragment())
        return wrong("nothing behind the host and its port");
    ApiUrl out{.tls = url.scheme() == "https", .host = url.host_address(), .socket = {}};
    if (out.host.empty()) return wrong("a host is missing");
    // Boost.URL 1.81 takes what is over 65535 for another number.
    if (url.has_port() && (url.port_number() == 0 || std::to_string(url.port_number()) != url.port()))
        return wrong("the port is a number from 1 to 65535");
    out.port = out.tls ? 443 : 80;
    if (url.has_port()) out.port = url.port_number();
    if (!out.tls && !is_loopback(out.host)) return wrong("in clear only to this machine: use https");
    return out;
}

std::string ApiUrl::authority() const
{
    if (!socket.empty()) return "localhost";
    const std::string shown = host.contains(':') ? "[" + host + "]" : host;
    return port == (tls ? 443 : 80) ? shown : fmt::format("{}:{}", shown, port);
}

std::string ApiUrl::text() const
{
    if (!socket.empty()) return "unix:" + socket;
    return (tls ? "https://" : "http://") + authority();
}

} // namespace penguin::control::ctl
