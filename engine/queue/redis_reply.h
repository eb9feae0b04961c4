// engine/queue/redis_reply.h
// One answer of Redis (RESP2) as a value.
//
//   nil, integer, text (bulk and status), array, error. An error reply is a value here; `checked` turns it into an
//   Error: full         OOM denied       NOAUTH, WRONGPASS, NOPERM unavailable  LOADING, BUSY, MASTERDOWN, READONLY,
//   CLUSTERDOWN, TRYAGAIN, MOVED, ASK: this server cannot serve it now refused      every other error
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/result.h"

namespace penguin::queue {

struct RedisReply {
    struct Nil {
        friend bool operator==(const Nil&, const Nil&) = default;
    };
    struct Error {
        std::string text;
        friend bool operator==(const Error&, const Error&) = default;
    };
    using Array = std::vector<RedisReply>;

    std::variant<Nil, std::int64_t, std::string, Array, Error> value;

    bool nil() const { return std::holds_alternative<Nil>(value); }
    const Error* error() const { return std::get_if<Error>(&value); }
    // What it is not gives the empty value, so that a caller can check sizes once instead of kinds everywhere.
    std::int64_t integer() const;    // an integer, or text that is one; 0 otherwise
    const std::string& text() const; // "" unless text
    const Array& array() const;      // empty unless an array
    Array& array();

    friend bool operator==(const RedisReply&, const RedisReply&) = default;
};

Result<RedisReply> checked(Result<RedisReply> reply);

// What INFO says of `name`, "" when it does not.
std::string_view info_field(std::string_view info, std::string_view name);

} // namespace penguin::queue
