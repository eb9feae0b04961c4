// control/http/message.h
// One request and one response as handlers see them. Plain data: no socket, no Beast.
//
//   Request   path segments and query are percent-decoded and valid UTF-8; header names compare without case
//   Response  the server adds Date, Content-Length, Connection, Cache-Control, X-Content-Type-Options and X-Request-Id
//   source    RFC 9110, RFC 3986
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "control/auth/principal.h"

namespace penguin::control::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
std::string_view name_of(Method method);
std::optional<Method> parse_method(std::string_view text);

using Fields = std::vector<std::pair<std::string, std::string>>;
using Params = std::map<std::string, std::string, std::less<>>;

struct Request {
    Method method = Method::get;
    Params params; // of the route's pattern
    Params query;
    Fields headers;
    std::string body;
    boost::asio::ip::address peer;      // unspecified for a unix socket
    std::string id;                     // UUID text, made for this request
    std::optional<Principal> principal; // nothing on public routes

    // The first value, or nothing.
    std::optional<std::string_view> header(std::string_view name) const;
    const std::string& param(std::string_view name) const { return params.find(name)->second; }
};

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    Fields headers;
};

// Splits "/a/b%20c?x=1" into decoded segments and query. Nothing when it is not a clean origin-form target: bad escapes,
// control octets, invalid UTF-8, a parameter given twice, more than kSegmentsMax or kQueryMax parts.
struct Target {
    static constexpr std::size_t kSegmentsMax = 16;
    static constexpr std::size_t kQueryMax = 32; // parameters
    std::vector<std::string> segments;
    Params query;
    static std::optional<Target> parse(std::string_view text);
};

std::string percent_encoded(std::string_view segment);
bool equal_without_case(std::string_view a, std::string_view b);

} // namespace penguin::control::http
