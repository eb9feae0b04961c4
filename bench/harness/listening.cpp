#include "bench/harness/listening.h"

#include <sys/resource.h>

namespace penguin::bench {

Result<asio::ip::tcp::endpoint> endpoint_of(const std::string& option, const std::string& text)
{
    const auto bad = fail(Errc::bad_value, option + " " + text + ": ADDRESS:PORT, please");
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return bad;
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code code;
    const asio::ip::address address = asio::ip::make_address(host, code);
    if (code) return bad;
    const std::string port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos) return bad;
    const int number = std::stoi(port);
    if (number > 65'535) return bad;
    return asio::ip::tcp::endpoint{address, static_cast<std::uint16_t>(number)};
}

void raise_descriptor_limit()
{
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace penguin::bench
