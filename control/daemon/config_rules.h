// control/daemon/config_rules.h
// The rules of single values: each says what is wrong with a text, or "" when it is right.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "control/config/config_reader.h"

namespace penguin::control {

struct ListenAddress {
    std::string socket; // unix: its path; empty for TCP
    boost::asio::ip::address address;
    std::uint16_t port = 0;

    // "127.0.0.1:8025", "[::1]:8025" or "unix:/run/x.sock". Errors: bad_value.
    static Result<ListenAddress> parse(std::string_view text);
    bool local() const { return !socket.empty() || address.is_loopback(); }
};

// Nothing, "/x" or longer: an absolute path.
std::string absolute_path(const std::string& text);
std::string state_dir_path(const std::string& text);
std::string absolute_path_or_none(const std::string& text);
std::string node_name_or_none(const std::string& text);
std::string host_label(const std::string& text);
std::string domain_name_or_none(const std::string& text);
std::string email_address_or_none(const std::string& text);
std::string key_prefix(const std::string& text);
std::string log_level(const std::string& text);
std::string listen_address(const std::string& text);
std::string dns_server(const std::string& text); // "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53", "2001:db8::1"
std::string network(const std::string& text);    // "127.0.0.0/8", "::1/128"
std::string https_url_or_none(const std::string& text);
std::string redis_url_or_none(const std::string& text);
std::string dsn_or_none(const std::string& text);
Rule<std::string> one_of(std::vector<std::string> values);

// Unix socket paths are bounded by the kernel: `path` as a reason, or "".
inline constexpr std::size_t kSocketPathMax = 107; // octets, sun_path without its final zero
std::string socket_path(const std::string& path);

} // namespace penguin::control
