// The URL of a place that somebody else named (a key set, a webhook, a policy), in the one form that we go to. Pure.
//
//   form    https, the name of a host (never an address), no user, no fragment; kUrlMax octets
//   errors  bad_value: the rule that it breaks
//   source  RFC 3986, RFC 9110 4.2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/mail/domain_name.h"

namespace penguin::control::fetch {

inline constexpr std::size_t kUrlMax = 2'048; // octets

struct FetchUrl {
    DomainName host;
    std::uint16_t port = 443;
    std::string target; // "/path?query", as it was given

    static Result<FetchUrl> parse(std::string_view text);
};

} // namespace penguin::control::fetch
