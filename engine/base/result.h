// engine/base/result.h
// What a function that can fail returns. An answer of a server is a value, not an error; a bug is an assert.
//
//   Errc      what kind of failure: the only part that code may branch on
//   detail    for people: never parsed, never branched on, holds no secret and no message body
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace penguin {

enum class Errc : std::uint8_t {
    // what somebody gave us is wrong
    bad_value,   // a field breaks a rule; detail names the field and the rule
    bad_address, // not an RFC 5321 mailbox or domain
    too_long,    // over a named limit
    malformed,   // bytes that are not what their format says
    missing,     // something required is not there (a variable, a header, a key)
    // what was asked for is not so
    not_found,
    conflict, // exists already, or changed meanwhile
    denied,   // the credential or the peer may not
    // the world outside
    timeout,     // a deadline passed
    closed,      // the peer ended the connection
    refused,     // the peer said no, or does not listen
    unreachable, // no route, no address, no name server answers
    tls_failed,  // handshake or certificate
    unavailable, // a store or service that we need is away; try later
    stale,       // the token or the lease is no longer ours
    full,        // a bound is reached; try later
    // us
    cancelled,   // we are stopping
    local_fault, // no descriptor, no memory, disk full: never the mail's fault
};

std::string_view name_of(Errc code);

struct Error {
    Errc code{};
    std::string detail;
    friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

std::unexpected<Error> fail(Errc code, std::string detail);

// The same failure with what we were doing in front: "reading the key: no such file".
std::unexpected<Error> fail(const Error& cause, std::string_view doing);

} // namespace penguin
