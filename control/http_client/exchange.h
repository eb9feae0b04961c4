// control/http_client/exchange.h
// One request and its answer over an open connection, HTTP/1.1 with `Connection: close`.
//
//   in       a request; a stream that nobody else uses
//   out      the answer, of whatever status: a redirect is one too, and is not followed
//   limits   AnswerBounds; `deadline` for all of it
//   errors   bad_value (a field or target that would end its line), full (a body over its bound), malformed (no HTTP), timeout,
//            closed and others of ByteStream. Never a word of what the other side said
//   source   RFC 9110, RFC 9112
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/net/byte_stream.h"

namespace penguin::control::http_client {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method = "GET";
    std::string target = "/"; // origin form
    std::string host;         // with its port where that is not the scheme's own
    Fields fields;            // besides Host, Content-Length and Connection
    std::string body;
};

struct Answer {
    unsigned status = 0;
    Fields fields;
    std::string body;

    // The first value, or nothing; `name` compares without case.
    std::optional<std::string_view> field(std::string_view name) const;
};

struct AnswerBounds {
    std::size_t head_max = 16 * 1024; // octets
    std::size_t body_max = 64 * 1024; // octets
};

// The octets of a request. Errors: bad_value.
Result<std::string> text_of(const Request& request);

awaitable<Result<Answer>> exchange(net::ByteStream& stream, Request request, AnswerBounds bounds, SteadyTime deadline);

} // namespace penguin::control::http_client
