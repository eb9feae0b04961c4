// control/ctl/api_url.h
// Where an API is. In clear only where the server itself is willing to: on loopback and on a unix socket. Pure.
//
//   form     https://host[:port]   http://127.0.0.1[:port]   http://[::1][:port]   http://localhost[:port]   unix:/path
//   errors   bad_value: the rule that it breaks
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::control::ctl {

inline constexpr std::string_view kUsualUrl = "http://127.0.0.1:8025";

struct ApiUrl {
    bool tls = false;
    std::string host; // a name or an address without brackets; empty: `socket`
    std::uint16_t port = 0;
    std::string socket;

    static Result<ApiUrl> parse(std::string_view text);
    std::string text() const;      // as it is parsed
    std::string authority() const; // for the field Host: with brackets, with the port where it is not the scheme's own
};

} // namespace penguin::control::ctl
