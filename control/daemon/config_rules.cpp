#include "control/daemon/config_rules.h"

#include <algorithm>
#include <charconv>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "control/fetch/fetch_url.h"
#include "engine/base/log.h"
#include "engine/mail/domain_name.h"
#include "engine/mail/email_address.h"
#include "engine/queue/redis_url.h"

namespace penguin::control {

namespace {

namespace ip = boost::asio::ip;

bool only(std::string_view text, std::string_view extra)
{
    return std::ranges::all_of(text, [extra](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               extra.find(static_cast<char>(c)) != std::string_view::npos;
    });
}

constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct HostPort {
    std::string host;
    std::string port; // empty: none was given
};

// A bare IPv6 address has no port: its colons are its own.
HostPort split_host_port(std::string_view text)
{
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return {};
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && rest.front() != ':') return {};
        return {std::string{text.substr(1, end - 1)}, std::string{rest.empty() ? rest : rest.substr(1)}};
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
        return {std::string{text}, ""};
    return {std::string{text.substr(0, colon)}, std::string{text.substr(colon + 1)}};
}

Result<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (status != std::errc{} || end != text.data() + text.size() || port == 0)
        return fail(Errc::bad_value, "a port is 1 to 65535");
    return port;
}

} // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text)
{
    ListenAddress out;
    if (text.starts_with("unix:")) {
        out.socket = text.substr(5);
        std::string wrong = absolute_path(out.socket);
        if (wrong.empty()) wrong = socket_path(out.socket);
        if (!wrong.empty()) return fail(Errc::bad_value, wrong);
        return out;
    }
    const HostPort parts = split_host_port(text);
    boost::system::error_code code;
    out.address = ip::make_address(parts.host, code);
    const Result<std::uint16_t> port = parse_port(parts.port);
    if (code || !port) return fail(Errc::bad_value, R"(must be "address:port", "[address]:port" or "unix:/path")");
    out.port = *port;
    return out;
}

std::string absolute_path(const std::string& text)
{
    return text.size() >= 2 && text.front() == '/' ? "" : "must be an absolute path";
}

std::string state_dir_path(const std::string& text)
{
    // It stands in configurations and connection strings of three programs, each with quoting rules of its own.
    const bool right = absolute_path(text).empty() && only(text, std::string{kUpper} + "/._-");
    return right ? "" : "must be an absolute path of letters, digits, dots, hyphens and underscores";
}

std::string absolute_path_or_none(const std::string& text) { return text.empty() ? "" : absolute_path(text); }

std::string node_name_or_none(const std::string& text)
{
    const bool right = text.size() <= 64 && only(text, std::string{kUpper} + ".-");
    return right ? "" : "must be at most 64 letters, digits, dots and hyphens";
}

std::string host_label(const std::string& text)
{
    const bool right =
        !text.empty() && text.size() <= 63 && only(text, "-") && !text.starts_with('-') && !text.ends_with('-');
    return right ? "" : "must be 1 to 63 lower-case letters, digits and hyphens";
}

std::string domain_name_or_none(const std::string& text)
{
    if (text.empty()) return "";
    const Result<DomainName> name = DomainName::parse(text);
    return name ? "" : "must be a domain name: " + name.error().detail;
}

std::string email_address_or_none(const std::string& text)
{
    if (text.empty()) return "";
    const Result<EmailAddress> address = EmailAddress::parse(text);
    return address ? "" : "must be an address: " + address.error().detail;
}

std::string key_prefix(const std::string& text)
{
    // Braces would move the hash tag, and with it the slot of a cluster.
    const bool right = text.size() <= 32 && only(text, std::string{kUpper} + ":.-_");
    return right ? "" : "must be at most 32 letters, digits, colons, dots, hyphens and underscores";
}

std::string log_level(const std::string& text)
{
    const Result<log::Level> level = log::parse_level(text);
    return level ? "" : "must be debug, info, warning or error";
}

std::string listen_address(const std::string& text)
{
    const Result<ListenAddress> parsed = ListenAddress::parse(text);
    return parsed ? "" : parsed.error().detail;
}

std::string dns_server(const std::string& text)
{
    const HostPort parts = split_host_port(text);
    boost::system::error_code code;
    ip::make_address(parts.host, code);
    const bool right = !code && (parts.port.empty() || parse_port(parts.port));
    return right ? ""
                 : R"(must be an address, with a port if need be: "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53")";
}

std::string network(const std::string& text)
{
    boost::system::error_code v4;
    boost::system::error_code v6;
    ip::make_network_v4(text, v4);
    ip::make_network_v6(text, v6);
    return v4 && v6 ? R"(must be a network such as "127.0.0.0/8")" : "";
}

std::string https_url_or_none(const std::string& text)
{
    if (text.empty()) return "";
    const Result<fetch::FetchUrl> url = fetch::FetchUrl::parse(text);
    return url ? "" : url.error().detail;
}

std::string redis_url_or_none(const std::string& text)
{
    if (text.empty()) return "";
    const Result<queue::RedisUrl> url = queue::RedisUrl::parse(text);
    return url ? "" : url.error().detail;
}

std::string dsn_or_none(const std::string& text)
{
    const bool right = text.empty() || text.starts_with("postgresql://") || text.starts_with("postgres://") ||
                       text.find('=') != std::string::npos;
    return right ? ""
                 : R"(must be a libpq connection string: "host=db dbname=penguin user=pm_api" or "postgresql://...")";
}

Rule<std::string> one_of(std::vector<std::string> values)
{
    return [values = std::move(values)](const std::string& text) -> std::string {
        if (std::ranges::find(values, text) != values.end()) return "";
        return fmt::format("must be one of {}", fmt::join(values, ", "));
    };
}

std::string socket_path(const std::string& path)
{
    if (path.size() <= kSocketPathMax) return "";
    return fmt::format("is too long: the socket {} would have {} octets, the kernel takes {}", path, path.size(),
                       kSocketPathMax);
}

} // namespace penguin::control
