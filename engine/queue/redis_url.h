// engine/queue/redis_url.h
// Where a Redis is and who we are there.
//
//   in      redis://[user][:password]@host[:port][/database], rediss:// for TLS, unix:///path/to/socket[?db=n];
//           user and password percent-encoded where they hold reserved characters
//   limits  database 0 to kDatabaseMax; port 1 to 65535, 6379 when none is given
//   errors  malformed, bad_value: detail names the part and the rule, and never shows the password
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace penguin::queue {

struct RedisUrl {
    static constexpr unsigned kDatabaseMax = 15; // Redis' own default number of databases, less one

    std::string path; // unix socket; "" for TCP
    std::string host; // name or address without brackets; "" for a unix socket
    std::uint16_t port = 6379;
    bool tls = false;
    std::string user;     // "" for Redis' default user
    std::string password; // "" when no AUTH is wanted
    unsigned database = 0;

    static Result<RedisUrl> parse(std::string_view text);
    // For logs: without user and password.
    std::string shown() const;
    friend bool operator==(const RedisUrl&, const RedisUrl&) = default;
};

} // namespace penguin::queue
