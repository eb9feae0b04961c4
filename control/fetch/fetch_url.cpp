#include "control/fetch/fetch_url.h"

#include <boost/url/parse.hpp>

namespace penguin::control::fetch {

namespace {

// "127.1", "0177.0.0.1", "2130706433", "0x7f000001": what others read as an address.
bool ends_in_a_number(std::string_view host)
{
    std::string_view label = host.substr(host.rfind('.') + 1);
    const bool hex = label.starts_with("0x");
    if (hex) label.remove_prefix(2);
    return label.find_first_not_of(hex ? "0123456789abcdef" : "0123456789") == std::string_view::npos;
}

} // namespace

Result<FetchUrl> FetchUrl::parse(std::string_view text)
{
    const auto wrong = [](std::string_view rule) { return fail(Errc::bad_value, "url: " + std::string{rule}); };
    if (text.size() > kUrlMax) return wrong("at most " + std::to_string(kUrlMax) + " octets");
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) return wrong("is not one");
    const boost::urls::url_view& url = *parsed;
    if (url.scheme_id() != boost::urls::scheme::https) return wrong("https only");
    if (url.has_userinfo()) return wrong("no user and no password in it");
    if (url.has_fragment()) return wrong("no fragment");
    if (url.host_type() != boost::urls::host_type::name) return wrong("the name of a host, not an address");
    if (url.has_port() && url.port_number() == 0) return wrong("the port is a number from 1 to 65535");
    const Result<DomainName> host = DomainName::parse(url.host());
    if (!host) return wrong("the host is not a name of DNS");
    if (ends_in_a_number(host->text())) return wrong("the name of a host, not an address");
    std::string target{url.encoded_path()};
    if (target.empty()) target = "/";
    if (!target.starts_with('/'))
        return wrong("is not one"); // Boost.URL 1.81 ends a port at its last digit: "host:2ysa/"
    if (url.has_query()) target += "?" + std::string{url.encoded_query()};
    return FetchUrl{
        .host = *host, .port = url.has_port() ? url.port_number() : std::uint16_t{443}, .target = std::move(target)};
}

} // namespace penguin::control::fetch
