// A URL of a place that a client named: https, a name of DNS and never an address, and the request that it becomes has one line.
#include "control/fetch/fetch_url.h"

#include <boost/asio/ip/address.hpp>

#include "tests/fuzz/check.h"

using namespace penguin;
using fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto url = control::fetch::FetchUrl::parse(text);
    if (!url) {
        check(url.error().code == Errc::bad_value && url.error().detail.starts_with("url: "));
        return 0;
    }
    check(text.size() <= control::fetch::kUrlMax && url->port != 0);
    check(DomainName::parse(url->host.text()).has_value());
    boost::system::error_code code;
    boost::asio::ip::make_address(url->host.text(), code);
    check(code.failed());
    check(url->target.starts_with('/') || url->target.starts_with('?'));
    check(url->target.find_first_of(std::string_view{" \r\n\t\0#", 6}) == std::string::npos);
    const auto again =
        control::fetch::FetchUrl::parse("https://" + url->host.text() + ":" + std::to_string(url->port) + url->target);
    check(again && again->host == url->host && again->port == url->port && again->target == url->target);
    return 0;
}
