// engine/smtp/outcome.h
// What happened to one recipient in one attempt: a value. What we do about it is engine/policy's to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/result.h"
#include "engine/smtp/reply.h"

namespace penguin::smtp {

// Where in the attempt it happened, in the order of an attempt.
enum class Phase : std::uint8_t { resolve, connect, tls, greeting, ehlo, mail, rcpt, data, body, reset, quit, done };
std::string_view name_of(Phase phase);

struct Outcome {
    enum class Kind : std::uint8_t {
        answered,  // the server's reply decides
        lost,      // the connection or the look-up failed; `error` says how
        not_tried, // nothing was said about this recipient on the wire: it may go again at once
    };

    Kind kind = Kind::not_tried;
    Phase phase = Phase::connect;
    std::optional<Reply> reply;    // answered
    std::optional<Error> error;    // lost, not_tried
    bool may_be_duplicate = false; // the last octet was written and no reply came (RFC 1047)

    static Outcome answered(Phase phase, Reply reply);
    static Outcome lost(Phase phase, Error why, bool may_be_duplicate = false);
    static Outcome not_tried(Phase phase, Error why);
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

} // namespace penguin::smtp
